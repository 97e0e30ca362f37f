import { rmSync } from 'node:fs'
import { busContract } from './bus.contract.ts'
import { DirectStore } from './direct-store.ts'
import { LocalBus } from './local-bus.ts'
import { temporaryFolder } from './testing.ts'

busContract('the bus of a single process', async () => {
  const dataDir = temporaryFolder()
  const store = new DirectStore({ dataDir, region: 'local', sessionMaxBytes: 1 << 20, sessionIdleDays: 90 })
  const bus = new LocalBus(store, 10)
  return {
    bus,
    store,
    setWorks: (works) => {
      store.works = works
    },
    stop: async () => {
      bus.close()
      await store.close()
      rmSync(dataDir, { recursive: true })
    },
  }
})
