import type { Backend } from '../backend.ts'
import type { Meters } from '../operators/meters.ts'
import { heardRegions } from '../operators/region-figures.ts'
import type { Reporter } from '../operators/report.ts'
import type { Traces } from '../operators/traces.ts'
import { watchDatabase } from '../operators/watch-database.ts'
import type { Config } from '../settings/config.ts'
import { shardWords } from '../store/shard.ts'
import { checkStore } from './check-store.ts'
import { Copies } from './copies.ts'
import { Lines } from './lines.ts'
import { Neighbours } from './neighbours.ts'
import { Origins } from './origins.ts'
import { askedGroup, Questions, subjectOf } from './questions.ts'
import { joinRegion, type Region } from './region.ts'
import { RegionBus } from './region-bus.ts'
import { RegionStore } from './region-store.ts'
import { announce, type Service } from './services.ts'

type Told = Neighbours['told']

/** This process's part of a region: a relay, a store, or both. */
export async function openInRegion(
  natsUrl: string,
  config: Config,
  report: Reporter,
  meters: Meters,
  traces?: Traces,
): Promise<Backend> {
  const region = await joinRegion(natsUrl, config.region, traces)
  const neighbours = new Neighbours(region.connection)
  const { told } = neighbours
  const part =
    config.role === 'relay' ? undefined : await openStore(natsUrl, config, report, meters, traces, told)
  const lines = new Lines(region)
  const store = new RegionStore(region, lines, report)
  const bus = new RegionBus(region, lines, store)
  meters.watch('facedown_silent_shards', 'Shards of which no store answers', () => store.silentShards)
  const regions = [config.region, ...config.regions.map(({ name }) => name)]
  meters.watchEach('facedown_region_heard', 'Whether any process of the region can be heard', 'region', () =>
    heardRegions([...new Set(regions)], neighbours.all),
  )
  const stopAnnouncing = config.role === 'store' ? () => {} : announceRelay(region, store, meters, told)
  return {
    bus,
    // A relay without its stores, or without NATS, still serves those who are connected to it.
    store: {
      since: (...question) => bus.since(...question),
      putSnapshot: (...snapshot) => store.putSnapshot(...snapshot),
      deposit: (...deposit) => store.deposit(...deposit),
      check: async () => part?.check() ?? { outcome: 'ready' },
    },
    database: undefined,
    processes: () => neighbours.all,
    close: async () => {
      stopAnnouncing()
      neighbours.stop()
      bus.close()
      await part?.close()
      await region.leave()
    },
  }
}

function announceRelay(
  { connection, name }: Region,
  store: RegionStore,
  meters: Meters,
  told: Told,
): () => void {
  const service: Service = {
    kind: 'relay',
    region: name,
    about: {},
    // Nobody asks a relay for anything; it listens to the rooms of those who are connected to it.
    endpoint: { name: 'rooms', subject: 'room.>', queue: '' },
    served: { requests: 0, errors: 0, milliseconds: 0 },
    now: async () => ({
      ready: (await store.check()).outcome === 'ready' && store.silentShards === 0,
      connections: await meters.figure('facedown_connections'),
      rooms: await meters.figure('facedown_rooms'),
    }),
  }
  return announce(connection, service, told)
}

/**
 * The connection is its own, because NATS brings nobody what they said themselves, and a relay in this process asks and hears this
 * store like any other.
 */
async function openStore(
  natsUrl: string,
  config: Config,
  report: Reporter,
  meters: Meters,
  traces: Traces | undefined,
  told: Told,
) {
  const region = await joinRegion(natsUrl, config.region, traces)
  const origins = await Origins.open(region, config, report, meters).catch(async (error) => {
    await region.leave()
    throw error
  })
  watchDatabase(meters, config.dataDir, () => origins.folders)
  meters.watchEach(
    'facedown_stream_lag_messages',
    'Said in a region and not applied here',
    'region',
    () => origins.lags,
  )
  const questions = new Questions(region, origins, config.shards)
  const copies = new Copies(region, origins, config, report)
  const service: Service = {
    kind: 'store',
    region: region.name,
    about: { shards: shardWords(config.shards) },
    endpoint: { name: 'ask', subject: subjectOf(region.name, '*'), queue: askedGroup },
    served: questions.served,
    now: async () => {
      const { outcome } = await checkStore(region, origins.all)
      return {
        ready: outcome === 'ready',
        origins: [...origins.all].length,
        databaseBytes: await meters.figure('facedown_database_bytes'),
        behind: Object.fromEntries(origins.lags),
      }
    },
  }
  const stopAnnouncing = announce(region.connection, service, told)
  await region.connection.flush() // from here on relays find it
  return {
    check: () => checkStore(region, origins.all),
    close: async () => {
      stopAnnouncing()
      await questions.stop()
      await copies.stop()
      await origins.close()
      await region.leave()
    },
  }
}
