import { expect, test } from 'vitest'
import { decodeReleased } from '../shared/escrow.ts'
import { createSessionKeys, keysFor } from '../shared/keys.ts'
import type { FromClient, FromRelay } from '../shared/wire.ts'
import { askerOf, BareClient } from './connections/bare-client.testing.ts'
import { closeCodes } from './connections/close-words.ts'
import { started } from './fixtures.testing.ts'
import { random, someDeposit, someEnvelope } from './testing.ts'

const keys = keysFor('member', createSessionKeys())
const observer = keysFor('observer', keys)

async function answerTo(client: BareClient, message: Extract<FromClient, { ref: number }>) {
  client.send(message)
  const answers = (frame: FromRelay) =>
    (frame.type === 'saved' || frame.type === 'unsaved') && frame.ref === message.ref
  await client.until((frames) => frames.some(answers))
  const answer = client.frames.find(answers)
  return answer?.type === 'unsaved' ? answer.reason : answer?.type
}

async function meeting() {
  const { url } = await started()
  return { url, alice: await BareClient.join(url, keys), bob: await BareClient.join(url, keys) }
}

test('keys that alice deposits reach everybody once bob has them released, carol too, who comes later', async () => {
  const { url, alice, bob } = await meeting()
  const { round, ...deposit } = someDeposit()
  expect(await answerTo(alice, { type: 'deposit', ref: 1, round, ...deposit })).toBe('saved')
  await alice.leave()
  const asker = askerOf(keys, round)
  expect(await answerTo(bob, { type: 'release', ref: 1, round, asker })).toBe('saved')
  const carol = await BareClient.join(url, keys)
  for (const client of [bob, carol]) {
    const frame = client.frames.find((frame) => frame.type === 'released')
    const keys = [{ seal: deposit.seal, key: deposit.key }]
    expect(frame && decodeReleased(frame.body)).toMatchObject({ round, asker, keys })
  }
})

test('once a round was released its store takes no more keys', async () => {
  const { alice, bob } = await meeting()
  const deposit = someDeposit()
  await answerTo(bob, { type: 'release', ref: 1, round: deposit.round, asker: askerOf(keys, deposit.round) })
  expect(await answerTo(alice, { type: 'deposit', ref: 1, ...deposit })).toBe('closed')
})

test('released twice, the keys come again and name who asked first', async () => {
  const { alice, bob } = await meeting()
  const { round } = someDeposit()
  const asker = askerOf(keys, round)
  await answerTo(alice, { type: 'release', ref: 1, round, asker })
  await answerTo(bob, { type: 'release', ref: 1, round, asker: askerOf(keys, round) })
  const told = bob.frames.flatMap((frame) => (frame.type === 'released' ? decodeReleased(frame.body) : []))
  expect(told.length).toBeGreaterThan(0)
  for (const released of told) expect(released?.asker).toEqual(asker)
})

test('who comes back with a cursor gets the keys that were released meanwhile', async () => {
  const { url, alice, bob } = await meeting()
  const saved = await alice.save(someEnvelope())
  if (saved.type !== 'saved') throw new Error(saved.reason)
  await alice.leave()
  const { round } = someDeposit()
  await answerTo(bob, { type: 'release', ref: 9, round, asker: askerOf(keys, round) })
  const again = await BareClient.join(url, keys, { cursor: saved.cursor })
  expect(again.frames.filter(({ type }) => type === 'released')).toHaveLength(1)
})

test('an observer neither deposits nor releases', async () => {
  const { url } = await meeting()
  const dave = await BareClient.join(url, observer)
  const deposit = someDeposit()
  expect(await answerTo(dave, { type: 'deposit', ref: 1, ...deposit })).toBe('observer')
  const asker = askerOf(keys, deposit.round)
  expect(await answerTo(dave, { type: 'release', ref: 2, round: deposit.round, asker })).toBe('observer')
})

test.each([
  ['somebody the member key does not vouch for', (round: Uint8Array) => askerOf(observer, round)],
  [
    'a participant of another session',
    (round: Uint8Array) => askerOf(keys, round, createSessionKeys().session),
  ],
  ['who signed for another round', () => askerOf(keys, random(16))],
  [
    'who says another reveal than they signed',
    (round: Uint8Array) => ({ ...askerOf(keys, round), reveal: undefined }),
  ],
])('nothing is released to %s', async (_, asker) => {
  const { alice, bob } = await meeting()
  const { round, ...deposit } = someDeposit()
  await answerTo(alice, { type: 'deposit', ref: 1, round, ...deposit })
  bob.send({ type: 'release', ref: 1, round, asker: asker(round) })
  expect(await bob.closed).toEqual(closeCodes.forbidden)
  expect(await answerTo(alice, { type: 'deposit', ref: 2, round, ...deposit })).toBe('saved')
  expect(alice.frames.filter(({ type }) => type === 'released')).toEqual([])
})
