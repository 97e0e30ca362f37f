import { rmSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createSessionKeys } from '../shared/keys.ts'
import { busContract } from './bus.contract.ts'
import { DirectStore } from './direct-store.ts'
import { LocalBus } from './local-bus.ts'
import type { Store } from './store.ts'
import { deaf, someEnvelope, temporaryFolder } from './testing.ts'

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

test('nothing is kept of a session whose last one left before the store could be asked', async () => {
  const { session } = createSessionKeys()
  const refused = { outcome: 'refused', reason: 'unreachable' } as const
  const empty = { outcome: 'head', sequence: 0, saved: undefined, overQuota: undefined } as const
  const head = vi.fn<Store['head']>().mockResolvedValueOnce(refused).mockResolvedValue(empty)
  const store = { origin: 'local.abc', head, check: async () => ({ outcome: 'ready' }) }
  const bus = new LocalBus(store as unknown as Store, 10)
  onTestFinished(() => bus.close())
  const stop = bus.subscribe(session, deaf)
  const appending = bus.append(session, 1, someEnvelope())
  stop()
  expect(await appending).toMatchObject(refused)
  await vi.waitFor(() => expect(head).toHaveBeenCalledTimes(2)) // it is there again
  await nextTurn()
  bus.subscribe(session, deaf) // what nobody has kept has to be asked for
  expect(head).toHaveBeenCalledTimes(3)
})
