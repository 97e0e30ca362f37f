import { rmSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import { DirectStore } from '../store/direct-store.testing.ts'
import type { Store } from '../store/store.ts'
import { deaf, someEnvelope, temporaryFolder } from '../testing.ts'
import { busContract } from './bus.contract.ts'
import { LocalBus } from './local-bus.ts'

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

test('what waits for a session to open is bounded, and whoever was refused is told when to send it again', async () => {
  const { session } = createSessionKeys()
  const empty = { outcome: 'head', sequence: 0, saved: undefined, overQuota: undefined } as const
  let open = () => {}
  const opening = new Promise<typeof empty>((resolve) => {
    open = () => resolve(empty)
  })
  const head = vi.fn<Store['head']>().mockReturnValueOnce(opening).mockResolvedValue(empty)
  const append = vi.fn<Store['append']>().mockResolvedValue({ outcome: 'saved', compact: undefined })
  const store = { origin: 'local.abc', head, append, check: async () => ({ outcome: 'ready' }) }
  const bus = new LocalBus(store as unknown as Store, 10)
  onTestFinished(() => bus.close())
  const told: string[] = []
  bus.subscribe(session, { ...deaf, log: (state) => void told.push(state) })
  const envelope = someEnvelope(65_536)
  const waiting = Array.from({ length: 64 }, () => bus.append(session, 1, envelope)) // 4 MiB
  const refused = { outcome: 'refused', reason: 'unreachable' } as const
  expect(await bus.append(session, 1, envelope)).toMatchObject(refused)
  expect(told).toEqual(['unreachable'])
  open()
  // They come again with what was refused, in their order.
  expect(new Set((await Promise.all(waiting)).map(({ outcome }) => outcome))).toEqual(new Set(['refused']))
  expect(append).not.toHaveBeenCalled()
  await vi.waitFor(() => expect(told).toEqual(['unreachable', 'kept']))
  expect(await bus.append(session, 1, envelope)).toMatchObject({ outcome: 'saved' })
})

test('what waits for many sessions to open is bounded, too', async () => {
  const store = { origin: 'local.abc', head: () => new Promise(() => {}) }
  const bus = new LocalBus(store as unknown as Store, 10)
  onTestFinished(() => bus.close())
  const envelope = someEnvelope(65_536)
  for (let number = 0; number < 32; number++) {
    const { session } = createSessionKeys()
    for (let at = 0; at < 32; at++) void bus.append(session, 1, envelope) // 2 MiB of each
  }
  const { session } = createSessionKeys()
  expect(await bus.append(session, 1, envelope)).toMatchObject({ outcome: 'refused', reason: 'unreachable' })
})
