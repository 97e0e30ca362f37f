import { join } from 'node:path'
import type { Backend } from '../backend.ts'
import type { Config } from '../config.ts'
import type { Reporter } from '../report.ts'
import { openSqliteStore } from '../sqlite-store.ts'
import { Lines } from './lines.ts'
import { joinRegion } from './region.ts'
import { RegionBus } from './region-bus.ts'
import { RegionStore } from './region-store.ts'
import { StoreService } from './store-service.ts'

/** This process's part of a region: a relay, a store, or both. */
export async function openInRegion(natsUrl: string, config: Config, report: Reporter): Promise<Backend> {
  const region = await joinRegion(natsUrl, config.region)
  const part = config.role === 'relay' ? undefined : await openStore(natsUrl, config, report)
  const lines = new Lines(region)
  const store = new RegionStore(region, lines)
  const bus = new RegionBus(region, lines, store)
  return {
    bus,
    // A relay without its stores, or without NATS, still serves those who are connected to it.
    store: config.role === 'relay' ? alwaysReady(store) : store,
    database: part?.database,
    close: async () => {
      bus.close()
      await part?.close()
      await region.leave()
    },
  }
}

/**
 * Another stream has other sequences, and so a database of its own. The connection is its own, too: NATS brings nobody what they said
 * themselves, and a relay in this process asks and hears this store like any other.
 */
async function openStore(natsUrl: string, config: Config, report: Reporter) {
  const region = await joinRegion(natsUrl, config.region)
  const options = { ...config, origin: region.origin, dataDir: join(config.dataDir, region.origin) }
  const database = await openSqliteStore(options, report)
  const service = await StoreService.start(region, database, {
    read: () => database.applied(),
    write: (sequence) => database.noteApplied(sequence),
  })
  return {
    database,
    close: async () => {
      await service.stop()
      await database.close()
      await region.leave()
    },
  }
}

function alwaysReady(store: RegionStore): Backend['store'] {
  return {
    origin: store.origin,
    since: (...question) => store.since(...question),
    putSnapshot: (...snapshot) => store.putSnapshot(...snapshot),
    deposit: (...deposit) => store.deposit(...deposit),
    check: async () => ({ outcome: 'ready' }),
  }
}
