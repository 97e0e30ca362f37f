import { rmSync } from 'node:fs'
import { afterAll, beforeAll } from 'vitest'
import { busContract } from '../bus.contract.ts'
import { DirectStore } from '../direct-store.ts'
import { temporaryFolder } from '../testing.ts'
import { Lines } from './lines.ts'
import { type NatsServer, startNats } from './nats.testing.ts'
import { joinRegion } from './region.ts'
import { RegionBus } from './region-bus.ts'
import { RegionStore } from './region-store.ts'
import { StoreService } from './store-service.ts'

let nats: NatsServer
let regions = 0
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

busContract(
  'the bus of a relay among others',
  async () => {
    const name = `region${++regions}`
    const [home, away] = [await joinRegion(nats.url, name), await joinRegion(nats.url, name)]
    const dataDir = temporaryFolder()
    const { origin } = home
    const kept = new DirectStore({
      dataDir,
      region: name,
      origin,
      sessionMaxBytes: 16 << 20,
      sessionIdleDays: 90,
    })
    const applied = { read: async () => 0, write: async () => {} }
    const service = await StoreService.start(home, kept, applied)
    const lines = new Lines(away)
    const store = new RegionStore(away, lines)
    const bus = new RegionBus(away, lines, store, 10)
    return {
      bus,
      store,
      setWorks: (works) => {
        kept.works = works
      },
      stop: async () => {
        bus.close()
        await service.stop()
        await kept.close()
        await Promise.all([home.leave(), away.leave()])
        rmSync(dataDir, { recursive: true })
      },
    }
  },
  { triesAgain: true },
)
