import type { Backend } from '../backend.ts'
import type { Config } from '../config.ts'
import type { Meters } from '../meters.ts'
import type { Reporter } from '../report.ts'
import { watchDatabase } from '../watch-database.ts'
import { Copies } from './copies.ts'
import { Lines } from './lines.ts'
import { Origins } from './origins.ts'
import { Questions } from './questions.ts'
import { joinRegion } from './region.ts'
import { RegionBus } from './region-bus.ts'
import { RegionStore } from './region-store.ts'

/** This process's part of a region: a relay, a store, or both. */
export async function openInRegion(
  natsUrl: string,
  config: Config,
  report: Reporter,
  meters: Meters,
): Promise<Backend> {
  const region = await joinRegion(natsUrl, config.region)
  const part = config.role === 'relay' ? undefined : await openStore(natsUrl, config, report, meters)
  const lines = new Lines(region)
  const store = new RegionStore(region, lines, report)
  const bus = new RegionBus(region, lines, store)
  return {
    bus,
    // A relay without its stores, or without NATS, still serves those who are connected to it.
    store: {
      since: async (session, ...question) => {
        await bus.begun(session)
        return store.since(session, ...question)
      },
      putSnapshot: (...snapshot) => store.putSnapshot(...snapshot),
      deposit: (...deposit) => store.deposit(...deposit),
      check: async () => (config.role === 'relay' ? { outcome: 'ready' } : store.check()),
    },
    database: undefined,
    close: async () => {
      bus.close()
      await part?.close()
      await region.leave()
    },
  }
}

/**
 * The connection is its own, because NATS brings nobody what they said themselves, and a relay in this process asks and hears this
 * store like any other.
 */
async function openStore(natsUrl: string, config: Config, report: Reporter, meters: Meters) {
  const region = await joinRegion(natsUrl, config.region)
  const origins = await Origins.open(region, config, report, meters).catch(async (error) => {
    await region.leave()
    throw error
  })
  watchDatabase(meters, config.dataDir, () => origins.folders)
  const questions = new Questions(region, origins, config.shards)
  const copies = new Copies(region, origins, config.shards)
  await region.connection.flush() // from here on relays find it
  return {
    close: async () => {
      questions.stop()
      await copies.stop()
      await origins.close()
      await region.leave()
    },
  }
}
