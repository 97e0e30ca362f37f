import { expect, test } from 'vitest'
import { noBox } from './escrow.ts'
import { participantId } from './id.ts'
import { createSessionKeys, keysFor, publicKeyOf, sign } from './keys.ts'
import { Ledger } from './ledger.ts'
import { Participant } from './participant.ts'
import { encodeOpen, encodeRecord, membershipStatement, recordIdOf } from './record.ts'
import { noCard } from './seal.ts'
import { bytesOf, cards, Device, meet, memberKeys, observerKeys, ownerKeys } from './testing.ts'

function revealedRound() {
  const alice = new Device('alice').introduces()
  const round = alice.starts()
  alice.votes(round, '5')
  alice.reveals(round)
  alice.opens(round)
  return { alice, round }
}

function add(ledger: Ledger, bytes: Uint8Array): void {
  ledger.add(recordIdOf(bytes), bytes)
}

test('a record whose key is not its hash is none', () => {
  const ledger = new Ledger(memberKeys)
  const profile = new Participant(memberKeys, bytesOf(9), ledger).introduce('mallory')
  expect(ledger.add(recordIdOf(bytesOf(1)), profile)).toBe(false)
  expect(ledger.add('__proto__', profile)).toBe(false)
  expect(ledger.add('constructor', profile)).toBe(false)
  expect(ledger.profiles().size).toBe(0)
})

test('a vote without a signature, or with somebody else’s, is ignored', () => {
  const { alice, round } = revealedRound()
  const bob = new Device('bob').introduces()
  meet(alice, bob)
  const seal = {
    kind: 'seal',
    author: bob.id,
    round,
    counter: 1,
    commitment: bytesOf(3),
    box: noBox,
  } as const
  const unsigned = encodeRecord(memberKeys.session, seal, bytesOf(77))
  unsigned.set(bytesOf(0, 64), unsigned.length - 64)
  add(alice.ledger, unsigned)
  add(alice.ledger, encodeRecord(memberKeys.session, seal, bytesOf(78)))
  expect(alice.sees(round)).toEqual({ alice: 'counted 5' })
})

test('nobody reveals or settles as bob: not without a signature, with their own, or with his for another session', () => {
  const [alice, bob] = [new Device('alice').introduces(), new Device('bob').introduces()]
  const round = alice.starts()
  const seal = alice.votes(round, '5')
  meet(alice, bob)
  const reveal = { kind: 'reveal', author: bob.id, round, cut: [seal], seen: [] } as const
  const estimate = {
    kind: 'estimate',
    author: bob.id,
    story: undefined,
    round,
    card: 2,
    replaces: [],
  } as const
  const { session } = memberKeys
  for (const statement of [reveal, estimate]) {
    const unsigned = encodeRecord(session, statement, bob.seed)
    unsigned.fill(0, unsigned.length - 64)
    add(alice.ledger, unsigned)
    add(alice.ledger, encodeRecord(session, statement, alice.seed))
    add(alice.ledger, encodeRecord(createSessionKeys().session, statement, bob.seed))
  }
  expect(alice.sees(round)).toEqual({ alice: 'voted' })
  expect(alice.opens(round)).toBe(0)
  add(alice.ledger, encodeRecord(session, reveal, bob.seed))
  expect(alice.sees(round)).toEqual({ alice: 'sealed' })
  expect(alice.ledger.estimates(alice.round(round))).toEqual([])
  add(alice.ledger, encodeRecord(session, estimate, bob.seed))
  expect(alice.ledger.estimates(alice.round(round))).toHaveLength(1)
})

test('a record made for another session is ignored', () => {
  const { alice, round } = revealedRound()
  const other = createSessionKeys()
  const there = new Ledger(other)
  const bob = new Participant(other, bytesOf(5), there)
  add(alice.ledger, bob.introduce('bob'))
  add(alice.ledger, bob.choose(round, { card: 0, unsure: false }))
  expect(alice.sees(round)).toEqual({ alice: 'counted 5' })
  expect(alice.ledger.profiles().size).toBe(1)
})

test('an observer cannot introduce themselves, and what they sign does not count', () => {
  const { alice, round } = revealedRound()
  const observer = new Participant(observerKeys, bytesOf(5), alice.ledger)
  expect(() => observer.introduce('eve')).toThrow()
  add(alice.ledger, observer.reveal(round))
  add(alice.ledger, observer.choose(round, { card: 0, unsure: false }))
  expect(alice.ledger.isMember(observer.id)).toBe(false)
  expect(alice.sees(round)).toEqual({ alice: 'counted 5' })
})

test('a profile that its author signed well, but the member key did not vouch for, makes nobody a participant', () => {
  const { alice, round } = revealedRound()
  const seed = bytesOf(5)
  const author = participantId(publicKeyOf(seed))
  const membership = sign(membershipStatement(memberKeys.session, author), bytesOf(2))
  const profile = { kind: 'profile', author, counter: 1, name: 'eve', observer: false, membership } as const
  const reveal = { kind: 'reveal', author, round, cut: [], seen: [] } as const
  add(alice.ledger, encodeRecord(memberKeys.session, profile, seed))
  add(alice.ledger, encodeRecord(memberKeys.session, reveal, seed))
  expect(alice.ledger.isMember(author)).toBe(false)
  expect(alice.ledger.of(round, 'reveal')).toHaveLength(1)
  expect(alice.sees(round)).toEqual({ alice: 'counted 5' })
})

test('an Open that does not match its commitment shows nothing and keeps nobody from the right one', () => {
  const alice = new Device('alice').introduces()
  const round = alice.starts()
  const seal = alice.votes(round, '5')
  add(alice.ledger, encodeOpen({ kind: 'open', seal, card: 2, unsure: false, nonce: bytesOf(4) }))
  alice.reveals(round)
  expect(alice.sees(round)).toEqual({ alice: 'sealed' })
  expect(alice.opens(round)).toBe(1)
  expect(alice.sees(round)).toEqual({ alice: 'counted 5' })
})

test('alice owes her card whatever others made up as an Open of it, and her key is deposited all the same', () => {
  const alice = new Device('alice').introduces()
  const round = alice.starts()
  const seal = alice.votes(round, '5')
  add(alice.ledger, encodeOpen({ kind: 'open', seal, card: 2, unsure: false, nonce: bytesOf(4) }))
  expect(alice.depositor.roundsToDeposit()).toHaveLength(1)
  alice.reveals(round)
  expect(alice.participant.roundsToOpen()).toEqual([round])
  expect(alice.depositor.isUnopened(round)).toBe(true)
  alice.opens(round)
  expect(alice.participant.roundsToOpen()).toEqual([])
  expect(alice.depositor.isUnopened(round)).toBe(false)
})

test('alice owes her card whatever others made up as a later vote of hers', () => {
  const alice = new Device('alice').introduces()
  const round = alice.starts()
  const seal = alice.votes(round, '5')
  const later = { kind: 'seal', author: alice.id, round, counter: 9, box: noBox } as const
  for (const commitment of [bytesOf(3), noCard]) {
    add(alice.ledger, encodeRecord(memberKeys.session, { ...later, commitment }, bytesOf(77)))
  }
  expect(alice.participant.latestSeal(round)).toBe(seal)
  alice.reveals(round)
  expect(alice.participant.roundsToOpen()).toEqual([round])
  expect(alice.depositor.isUnopened(round)).toBe(true)
})

test('whose vote met new cards knows what they had chosen, until they choose again', () => {
  const [alice, bob] = [new Device('alice').introduces(), new Device('bob').introduces()]
  meet(alice, bob)
  const before = alice.starts()
  bob.hears(alice)
  bob.votes(before, '8')
  const between = alice.publish(alice.participant.startRound(undefined, [{ label: 'up' }]))
  alice.publish(alice.participant.withdraw(before))
  const after = alice.publish(alice.participant.startRound(undefined, [{ label: 'S' }, { label: 'L' }]))
  alice.publish(alice.participant.withdraw(between))
  meet(alice, bob)
  const left = ({ participant, ...device }: Device) =>
    participant.leftBehind(device.ledger.round(after) as never)
  expect(bob.participant.owed()).toEqual([])
  expect([left(alice), left(bob)]).toEqual([undefined, cards[2]])
  bob.publish(bob.participant.choose(after, { card: 1, unsure: false }))
  expect(left(bob)).toBeUndefined()
})

test('what somebody voted is checked with the rest on their other devices, and on nobody else’s', () => {
  const { alice } = revealedRound()
  const [phone, bob] = [new Device('alice'), new Device('bob')]
  phone.hears(alice)
  bob.hears(alice)
  expect(phone.ledger.signatures.toCheck()).toHaveLength(bob.ledger.signatures.toCheck().length + 1)
})

test('the owner’s grant makes a facilitator, another’s does not', () => {
  const alice = new Device('alice', ownerKeys).introduces()
  const bob = new Device('bob').introduces()
  meet(alice, bob)
  expect(bob.participant.takeChair()).toEqual([])
  for (const grant of alice.participant.takeChair()) alice.publish(grant)
  const claim = { kind: 'grant', author: bob.id, participant: bob.id, role: 'facilitator' } as const
  add(alice.ledger, encodeRecord(memberKeys.session, claim, bytesOf(6)))
  expect(alice.ledger.facilitators()).toEqual(new Set([alice.id]))
})

test('the seals of all cards, sure or not, are equally long, and so is taking back', () => {
  const alice = new Participant(memberKeys, bytesOf(3), new Ledger(memberKeys))
  const round = recordIdOf(bytesOf(1))
  const lengths = cards.flatMap((_, card) =>
    [true, false].map((unsure) => alice.choose(round, { card, unsure }).length),
  )
  expect(new Set([...lengths, alice.choose(round, undefined).length]).size).toBe(1)
})

test('only the voter’s own devices find the card behind a seal', () => {
  const { alice } = revealedRound()
  const round = alice.starts()
  alice.votes(round, '8')
  const again = new Participant(keysFor('member', ownerKeys), bytesOf(200), alice.ledger)
  expect(alice.participant.choiceIn(alice.round(round))).toEqual({ card: 2, unsure: false })
  expect(again.choiceIn(alice.round(round))).toBeUndefined()
})

test('a whole session is checked one signature after the other, and then nothing is left to check', () => {
  const { alice, round } = revealedRound()
  const bob = new Device('bob').introduces()
  const other = alice.starts()
  bob.hears(alice)
  bob.votes(other, '8')
  alice.hears(bob)
  alice.settles(round, '5')
  const carol = new Device('carol')
  carol.hears(alice)
  // Two profiles, two rounds, a reveal and an estimate: what the votes are is asked later, if at all.
  expect(carol.ledger.signatures.unchecked).toBe(6)
  expect([...carol.ledger.signatures.check()]).toHaveLength(6)
  expect(carol.ledger.signatures.unchecked).toBe(0)
  expect([...carol.ledger.signatures.check(carol.ledger.about(other))]).toHaveLength(1)
  expect([
    ...carol.ledger.signatures.check(),
    ...carol.ledger.signatures.check(carol.ledger.about(other)),
  ]).toEqual([])
  expect(carol.sees(round)).toEqual(alice.sees(round))
})

test('what is verified keeps its place, and counts once', () => {
  const { alice, round } = revealedRound()
  const bob = new Device('bob')
  bob.hears(alice)
  void [...bob.ledger.signatures.check()]
  const first = bob.ledger.signatures.verified()
  void [...bob.ledger.signatures.check(bob.ledger.about(round))]
  const all = bob.ledger.signatures.verified()
  expect(all.length).toBeGreaterThan(first.length)
  expect(all.subarray(0, first.length)).toEqual(first)
  expect(bob.ledger.signatures.verified(1, 3)).toEqual(all.slice(16, 48))
  expect(bob.ledger.signatures.trust(all)).toBe(all.length / 16)
  expect(bob.ledger.signatures.verified()).toEqual(all)
})

test('what was asked about before it came counts when it is there', () => {
  const { alice, round } = revealedRound()
  const bob = new Device('bob')
  expect(bob.ledger.signatures.hold(round)).toBe(false)
  bob.hears(alice)
  expect(bob.ledger.round(round)?.id).toBe(round)
})

test('what a device verified at an earlier visit is not checked again', () => {
  const { alice } = revealedRound()
  const verified = () => {
    void [...alice.ledger.signatures.check()]
    return alice.ledger.signatures.verified()
  }
  const bob = new Device('bob')
  bob.ledger.signatures.trust(verified())
  bob.hears(alice)
  expect(bob.ledger.signatures.unchecked).toBe(0)
  expect([...bob.ledger.signatures.check()]).toEqual([])
})
