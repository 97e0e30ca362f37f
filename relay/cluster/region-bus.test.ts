import { rmSync } from 'node:fs'
import { afterAll, beforeAll } from 'vitest'
import { type BusUnderTest, busContract } from '../bus/bus.contract.ts'
import { DirectStore } from '../store/direct-store.testing.ts'
import { shardCount } from '../store/shard.ts'
import type { Reached } from '../store/store-protocol.ts'
import { emptyPage, temporaryFolder } from '../testing.ts'
import { Follower } from './follower.ts'
import { Lines } from './lines.ts'
import { type NatsServer, startNats } from './nats.testing.ts'
import { Questions } from './questions.ts'
import { joinRegion } from './region.ts'
import { RegionBus } from './region-bus.ts'
import { RegionStore } from './region-store.ts'
import { originsHere, regionOf } from './streams.ts'

let nats: NatsServer
let regions = 0
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

const shards = new Set(Array.from({ length: shardCount }, (_, shard) => shard))

/** A store whose log is the only one of its region. */
class OnlyStore extends DirectStore {
  async applied(): Promise<Reached> {
    return { sequence: 0, said: undefined }
  }

  async noteApplied(): Promise<void> {}

  async forget(): Promise<void> {}
}

busContract(
  'the bus of a relay among others',
  async () => {
    const name = `region${++regions}`
    const [home, away] = [await joinRegion(nats.url, name), await joinRegion(nats.url, name)]
    const dataDir = temporaryFolder()
    const origin = (await originsHere(home.manager)).find((origin) => regionOf(origin) === name)
    const kept = new OnlyStore({
      dataDir,
      region: name,
      origin,
      sessionMaxBytes: 1 << 20,
      sessionIdleDays: 90,
    })
    const follower = await Follower.start(home, kept, shards)
    const all = [
      {
        store: kept,
        folder: dataDir,
        isWhole: true,
        follower,
        lacked: new Set<number>(),
        isGivenUp: false,
        gapTries: 0,
      },
    ]
    const questions = new Questions(home, { all }, shards)
    await home.connection.flush()
    const lines = new Lines(away)
    const store = new RegionStore(away, lines)
    const bus = new RegionBus(away, lines, store, 10)
    return {
      bus,
      store: ofOneOrigin(store, kept.origin),
      setWorks: (works) => {
        kept.works = works
      },
      stop: async () => {
        bus.close()
        questions.stop()
        await follower.stop()
        await kept.close()
        await Promise.all([home.leave(), away.leave()])
        rmSync(dataDir, { recursive: true })
      },
    }
  },
  { triesAgain: true },
)

function ofOneOrigin(store: RegionStore, origin: string): BusUnderTest['store'] {
  return {
    origin,
    putSnapshot: (...snapshot) => store.putSnapshot(...snapshot),
    deposit: (...deposit) => store.deposit(...deposit),
    delete: (session) => store.delete(session),
    since: async (...question) => {
      const pages = await store.since(...question)
      if (pages.outcome !== 'pages') return pages
      const [page] = pages.of.values()
      return page ?? emptyPage
    },
    head: async (session) => {
      const heads = await store.head(session)
      if (heads.outcome !== 'heads') return heads
      const [saved] = heads.saved.values()
      return { outcome: 'head', sequence: saved?.sequence ?? 0, saved, overQuota: heads.overQuota }
    },
  }
}
