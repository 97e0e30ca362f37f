import { expect, test, vi } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import type { Store } from '../store/store.ts'
import { someEnvelope } from '../testing.ts'
import { Applier, type Task } from './applier.ts'
import { decodeBulletin } from './news.ts'
import type { Region } from './region.ts'

test('while NATS is away nothing is kept for rooms of what is tried again, and of what was done everything', async () => {
  const [full, free] = [someTask(1), someTask(2)]
  const append = async (session: string) =>
    session === full.session
      ? { outcome: 'refused', reason: 'full' }
      : { outcome: 'saved', compact: undefined, position: { sequence: 2, mark: 0 } }
  const publish = vi.fn()
  const region = { name: 'east', isConnected: false, connection: { publish } }
  const store = { origin: 'east', append } as unknown as Store
  const applier = new Applier(region as unknown as Region, store, () => {})
  const told = () => publish.mock.calls.flatMap(([, data]) => decodeBulletin(data).news)

  expect(await applier.apply([full, free])).toEqual([full])
  for (let tries = 0; tries < 3; tries++) expect(await applier.apply([full])).toEqual([full])
  expect(told()).toMatchObject([{ sequence: 2, outcome: { outcome: 'saved' } }])
  region.isConnected = true
  await applier.apply([full])
  expect(told()).toMatchObject([{ sequence: 2 }, { sequence: 1, outcome: { reason: 'full' } }])
})

function someTask(sequence: number): Task {
  const message = { type: 'append', ref: 0, envelope: someEnvelope() } as const
  return { session: createSessionKeys().session, sequence, message, isEcho: false }
}
