import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSessionKeys, publicKeyOf, sign } from '../../shared/keys.ts'
import { Participant } from '../../shared/participant.ts'
import { recordIdOf } from '../../shared/record.ts'
import { SessionCore } from '../session/core.ts'
import { verifyNatively } from './native-ed25519.ts'

let come = () => {}

vi.mock('./native-verification.ts', async (original) => {
  await new Promise<void>((resolve) => {
    come = resolve
  })
  return original()
})

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('a session is shown, checked by the library, while a faster way does not come, which is taken when it does', async () => {
  const keys = createSessionKeys()
  const core = new SessionCore({
    keys,
    seed: new Uint8Array(32).fill(1),
    rememberedName: 'alice',
    base: 'https://relay.example/',
    connect: () => {
      throw new Error('Nobody connects')
    },
    verify: verifyNatively,
    pause: async () => {},
    rememberEstimates: () => {},
    remember: () => {},
    alone: true,
  })
  const people = Array.from(
    { length: 6 },
    (_, at) => new Participant(keys, new Uint8Array(32).fill(at + 2), core.ledger),
  )
  for (const person of people) {
    const bytes = person.introduce('somebody')
    core.ledger.add(recordIdOf(bytes), bytes)
  }
  core.change()
  expect(core.isQuiet).toBe(true)
  await vi.advanceTimersByTimeAsync(2_100)
  expect(core.isQuiet).toBe(false)
  expect(core.ledger.profiles().size).toBe(6)

  vi.useRealTimers()
  come()
  const seed = new Uint8Array(32).fill(7)
  const message = Uint8Array.of(1)
  const signed = { signature: sign(message, seed), message, publicKey: publicKeyOf(seed) }
  await vi.waitFor(async () => expect(await verifyNatively(signed)).toBe(true))
})
