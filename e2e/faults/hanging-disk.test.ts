import { expect, test } from 'vitest'
import { BareClient } from '../../relay/connections/bare-client.testing.ts'
import { closeCodes } from '../../relay/connections/close-words.ts'
import { someEnvelope } from '../../relay/testing.ts'
import { createSessionKeys, keysFor } from '../../shared/keys.ts'
import { slowDisk, Trial } from './trial.ts'

test('a disk that hangs is cut off after 10 s: nobody waits for it, and what was acknowledged is there', async () => {
  const disk = slowDisk()
  const trial = await Trial.start(disk.environment)
  const keys = createSessionKeys()
  const member = keysFor('member', keys)
  const alice = await BareClient.join(trial.url, keys)
  const bob = await BareClient.join(trial.url, member)
  const acknowledged = someEnvelope()
  expect(await alice.save(acknowledged)).toMatchObject({ type: 'saved' })

  disk.takes(1e9)
  const before = performance.now()
  const hanging = someEnvelope()
  const answer = alice.save(hanging)
  expect((await bob.next('entry', ({ envelope }) => equal(envelope, hanging))).envelope).toEqual(hanging)
  expect(performance.now() - before).toBeLessThan(2000)
  expect(await answer).toMatchObject({ type: 'unsaved', reason: 'unreachable' })
  expect(performance.now() - before).toBeGreaterThan(9_900)
  expect(performance.now() - before).toBeLessThan(12_000)
  expect(trial.said).toContain('"event":"storeStalled"}')

  const joined = performance.now()
  const carol = await BareClient.join(trial.url, member)
  expect(performance.now() - joined).toBeLessThan(1000)
  expect(carol.frames.at(-1)).toMatchObject({ type: 'caughtUp', log: 'unreachable' })
  expect((await fetch(`${trial.url}/readyz`)).status).toBe(503)

  disk.takes(0)
  const works = performance.now()
  expect(await alice.closed).toEqual(closeCodes.resume)
  expect(performance.now() - works).toBeLessThan(10_000)
  expect(trial.said).toContain('"event":"storeRecovered"}')
  const back = await BareClient.join(trial.url, keys)
  expect(back.envelopes()[0]).toEqual(acknowledged)
  expect(await back.save(hanging)).toMatchObject({ type: 'saved' })
  const dave = await BareClient.join(trial.url, member)
  expect(dave.envelopes()).toEqual([acknowledged, hanging])
})

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}
