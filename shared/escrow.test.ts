/** What hostile and unlucky people could do with boxes and keys, and what comes of it. */
import { expect, test } from 'vitest'
import { escrowName, openBox } from './escrow.ts'
import type { RoundId } from './id.ts'
import { isSoundKey } from './keys.ts'
import { encodeRecord, encodeRelease, type Release } from './record.ts'
import { cards, Device, meet, memberKeys } from './testing.ts'

function voted(label = '8') {
  const [alice, bob] = ['alice', 'bob'].map((name) => new Device(name).introduces()) as [Device, Device]
  const round = bob.starts()
  meet(alice, bob)
  alice.votes(round, label)
  meet(alice, bob)
  return { alice, bob, round }
}

function releaseBy(asker: Device, round: RoundId, keys: Release['keys']): Uint8Array {
  return encodeRelease({ kind: 'release', round, ...asker.depositor.askForRelease(round).asker, keys })
}

function keyOf(device: Device, round: RoundId): Release['keys'] {
  const own = device.depositor.deposit(device.round(round), false)
  return own ? [own.deposit] : []
}

test('a box opens with its key alone, at its place alone', () => {
  const { alice, round } = voted()
  const [seal] = alice.ledger.of(round, 'seal')
  const [deposit] = keyOf(alice, round)
  if (!seal || !deposit) throw new Error('alice voted')
  const place = { session: memberKeys.session, round, voter: alice.id, counter: 1 }
  expect(openBox(deposit.key, place, seal)).toMatchObject({
    card: cards.findIndex(({ label }) => label === '8'),
  })
  expect(openBox(deposit.key, { ...place, counter: 2 }, seal)).toBeUndefined()
  expect(openBox(deposit.key, place, { ...seal, commitment: new Uint8Array(32).fill(1) })).toBeUndefined()
})

test('keys that open nothing reveal nothing, whoever signed for them', () => {
  const { alice, bob, round } = voted()
  const seal = escrowName(memberKeys, alice.participant.latestSeal(round) ?? round)
  bob.publish(releaseBy(bob, round, [{ seal, key: new Uint8Array(32) }]))
  expect(bob.state(round).phase).toBe('voting')
})

test('keys that open nothing take nothing from the reveal that comes after them', () => {
  const { alice, bob, round } = voted()
  const seal = escrowName(memberKeys, alice.participant.latestSeal(round) ?? round)
  const mallory = new Device('mallory').introduces()
  mallory.hears(bob)
  mallory.publish(releaseBy(mallory, round, [{ seal, key: new Uint8Array(32) }]))
  meet(alice, bob, mallory)
  bob.reveals(round)
  meet(alice, bob)
  expect(alice.opens(round)).toBe(1)
  expect(alice.sees(round)).toEqual({ alice: 'counted 8' })
})

test('a release that nobody of the session signed is none', () => {
  const { alice, bob, round } = voted()
  const { asker } = bob.depositor.askForRelease(round)
  const forged = { ...asker, signature: asker.signature.map((byte) => byte ^ 1) }
  bob.publish(encodeRelease({ kind: 'release', round, ...forged, keys: keyOf(alice, round) }))
  expect(bob.state(round).phase).toBe('voting')
})

test('a late vote stays late when its key comes out, and a vote that was taken back is not counted', () => {
  const { alice, bob, round } = voted()
  bob.votes(round, '5')
  bob.reveals(round)
  const carol = new Device('carol').introduces()
  carol.hears(alice)
  carol.votes(round, '1')
  meet(bob, carol)
  bob.publish(releaseBy(bob, round, [...keyOf(alice, round), ...keyOf(carol, round)]))
  expect(bob.sees(round)).toMatchObject({ alice: 'counted 8', carol: 'late' })

  const again = voted()
  const keys = keyOf(again.alice, again.round)
  again.bob.votes(again.round, '5')
  again.alice.takesBack(again.round)
  meet(again.alice, again.bob)
  again.bob.publish(releaseBy(again.bob, again.round, [...keys, ...keyOf(again.bob, again.round)]))
  expect(again.bob.sees(again.round)).toEqual({ bob: 'counted 5' })
})

test('under rules without escrow no vote has a box, also in a round that names no rules', () => {
  const owner = new Device('olga').introduces()
  owner.publish(owner.participant.takeOver())
  owner.publish(owner.participant.setRules({ who: 'anybody', auto: false, escrow: false }))
  const mallory = new Device('mallory').introduces()
  meet(owner, mallory)
  const round = {
    kind: 'round',
    author: mallory.id,
    story: undefined,
    cards,
    previous: undefined,
    rules: undefined,
  } as const
  const id = mallory.publish(encodeRecord(memberKeys.session, round, mallory.seed))
  meet(owner, mallory)
  owner.votes(id, '5')
  expect(owner.ledger.of(id, 'seal').map(({ box }) => box.every((byte) => byte === 0))).toEqual([true])
  expect(owner.depositor.deposit(owner.round(id), false)).toBeUndefined()
})

test('a card that goes on hidden under other rules is not shown by a reveal of the round before', () => {
  const { alice, bob, round } = voted()
  bob.publish(bob.participant.takeOver())
  bob.publish(bob.participant.setRules({ who: 'facilitators', auto: false, escrow: true }))
  const next = bob.starts()
  meet(alice, bob)
  const carried = alice.participant.owedVote(alice.round(next))
  alice.publish(alice.participant.choose(next, carried))
  expect(alice.depositor.deposit(alice.round(round), true)?.deposit.replaces).toHaveLength(1)
  const mallory = new Device('mallory').introduces()
  mallory.hears(alice)
  mallory.reveals(round)
  meet(alice, mallory)
  expect(alice.opens(round)).toBe(0)
  meet(alice, bob)
  bob.reveals(next)
  meet(alice, bob)
  expect(alice.opens(next)).toBe(1)
  expect(alice.opens(round)).toBe(1)
})

test('nor is one that was thought of there first, and is the choice in the round that goes on', () => {
  const { alice, bob, round } = voted('5')
  alice.votes(round, '8')
  bob.publish(bob.participant.takeOver())
  bob.publish(bob.participant.setRules({ who: 'facilitators', auto: false, escrow: true }))
  bob.reveals(round)
  const next = bob.starts()
  meet(alice, bob)
  alice.votes(next, '5')
  expect(alice.opens(round)).toBe(0)
})

test('when escrow is switched off the key of the round before is put out of the store', () => {
  const { alice, bob, round } = voted()
  const before = keyOf(alice, round)
  bob.publish(bob.participant.takeOver())
  bob.publish(bob.participant.setRules({ who: 'anybody', auto: false, escrow: false }))
  const next = bob.starts()
  meet(alice, bob)
  alice.publish(alice.participant.choose(next, alice.participant.owedVote(alice.round(next))))
  expect(alice.depositor.deposit(alice.round(round), false)?.deposit.replaces).toEqual(
    before.map(({ key }) => key),
  )
  expect(alice.depositor.deposit(alice.round(next), false)).toBeUndefined()
})

test('a key of small order, for which anybody can sign, is no key', () => {
  const identity = new Uint8Array(32)
  identity[0] = 1
  expect(isSoundKey(identity)).toBe(false)
  expect(isSoundKey(new Uint8Array(32).fill(255))).toBe(false)
  expect(isSoundKey(memberKeys.publicKeys.subarray(0, 32))).toBe(true)
})
