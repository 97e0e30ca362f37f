import type { ProcessSeen } from '../shared/status.ts'
import type { Bus } from './bus/bus.ts'
import { LocalBus } from './bus/local-bus.ts'
import { refuseRegionStore } from './commands/databases.ts'
import type { Meters } from './operators/meters.ts'
import type { Reporter } from './operators/report.ts'
import { committedTo, type Traces } from './operators/traces.ts'
import { watchDatabase } from './operators/watch-database.ts'
import type { Config } from './settings/config.ts'
import { openSqliteStore, type SqliteStore } from './store/sqlite-store.ts'
import { type Archive, archiveOf, type Store } from './store/store.ts'

/** What is behind the rooms of a relay. */
export interface Backend {
  readonly bus: Bus
  readonly store: Archive & Pick<Store, 'check'>
  /** The database of this process, if it keeps one. */
  readonly database: SqliteStore | undefined
  /** This process and others like it; undefined where one is everything there is. */
  readonly processes: (() => readonly ProcessSeen[]) | undefined
  close(): Promise<void>
}

/** A whole installation in this process, or its part of a region. */
export async function openBackend(
  config: Config,
  report: Reporter,
  meters: Meters,
  traces?: Traces,
): Promise<Backend> {
  if (config.natsUrl === undefined) return openAlone(config, report, meters, traces)
  const { openInRegion } = await import('./cluster/part.ts') // who is alone needs nothing of NATS
  return openInRegion(config.natsUrl, config, report, meters, traces)
}

async function openAlone(
  config: Config,
  report: Reporter,
  meters: Meters,
  traces: Traces | undefined,
): Promise<Backend> {
  refuseRegionStore(config.dataDir)
  const store = await openSqliteStore(config, report, committedTo(meters, traces))
  watchDatabase(meters, config.dataDir)
  const bus = new LocalBus(store)
  return {
    bus,
    store: { ...archiveOf(store), check: () => store.check() },
    database: store,
    processes: undefined,
    close: async () => {
      bus.close()
      await store.close()
    },
  }
}
