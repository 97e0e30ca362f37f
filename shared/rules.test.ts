import { expect, test, vi } from 'vitest'
import { participantId, type RecordId, storyId } from './id.ts'
import { decodeRecord, encodeRecord, type RecordOf, recordIdOf } from './record.ts'
import { findOffices } from './rules.ts'
import { bytesOf, Chance, cards, Device, meet, memberKeys, ownerKeys } from './testing.ts'

// The same Ed25519 from the platform, fourteen times as fast: thousands of statements are signed here, and read by several.
vi.mock('@noble/ed25519', () => import('./native-ed25519.testing.ts'))

const story = storyId(bytesOf(1, 10))

/** Alice made the session; bob and carol take part. */
function team() {
  const alice = new Device('alice', ownerKeys).introduces()
  for (const grant of alice.participant.takeChair()) alice.publish(grant)
  const bob = new Device('bob').introduces()
  const carol = new Device('carol').introduces()
  meet(alice, bob, carol)
  return { alice, bob, carol }
}

function rule(device: Device, who: 'anybody' | 'facilitators', auto = false) {
  return device.publish(device.participant.setRules({ who, auto, escrow: true }))
}

test('anybody decides until a facilitator says otherwise', () => {
  const { alice, bob } = team()
  expect(bob.ledger.rules()).toMatchObject({ who: 'anybody', auto: false })
  rule(bob, 'facilitators')
  expect(bob.ledger.rules().who).toBe('anybody')
  rule(alice, 'facilitators', true)
  meet(alice, bob)
  expect(bob.ledger.rules()).toMatchObject({ who: 'facilitators', auto: true })
  rule(alice, 'anybody')
  expect(alice.ledger.rules()).toMatchObject({ who: 'anybody', auto: false })
})

test('under "facilitators only" what bob reveals, admits and settles does not count, whatever his device says', () => {
  const { alice, bob, carol } = team()
  rule(alice, 'facilitators')
  const round = alice.starts(story)
  meet(alice, bob, carol)
  carol.votes(round, '8')
  meet(alice, bob, carol)
  bob.reveals(round)
  bob.settles(round, '1')
  meet(alice, bob, carol)
  expect(carol.opens(round)).toBe(0)
  expect(alice.state(round)).toMatchObject({ phase: 'voting' })
  expect(bob.ledger.mayDecide(bob.id, bob.round(round))).toBe(false)

  alice.reveals(round)
  meet(alice, carol)
  carol.opens(round)
  meet(alice, bob, carol)
  expect(bob.sees(round)).toEqual({ carol: 'counted 8' })
  expect(bob.state(round).phase).toBe('revealed')
})

test('a round that bob starts in spite of the rules is never the one on the table, named rules or not', () => {
  const { alice, bob } = team()
  const rules = rule(alice, 'facilitators')
  const official = alice.starts(story)
  meet(alice, bob)
  const forged = (named: typeof rules | undefined) =>
    encodeRecord(
      memberKeys.session,
      { kind: 'round', author: bob.id, story, cards, previous: official, rules: named },
      seedOf('bob'),
    )
  alice.publish(forged(undefined))
  expect(alice.ledger.current(story)?.id).toBe(official)
  const naming = forged(rules)
  alice.publish(naming)
  expect(alice.ledger.round(recordIdOf(naming))).toBeUndefined()
  rule(alice, 'anybody')
  expect(alice.ledger.current(story)?.author).toBe(bob.id)
})

test('a round that was begun anew under new rules takes the hidden votes over', () => {
  const { alice, bob } = team()
  const before = alice.starts(story)
  meet(alice, bob)
  bob.votes(before, '5')
  rule(alice, 'facilitators')
  rule(alice, 'facilitators', true)
  const after = alice.starts(story)
  meet(alice, bob)
  expect(bob.ledger.current(story)?.id).toBe(after)
  expect(bob.participant.owedVote(bob.round(after))).toEqual({ card: 1, unsure: false })
  expect(bob.participant.topicsToCarry()).toEqual([story])
})

test('a vote that was taken back under new rules does not come back under the next', () => {
  const { alice, bob } = team()
  const before = alice.starts(story)
  meet(alice, bob)
  bob.votes(before, '5')
  rule(alice, 'facilitators')
  const between = alice.starts(story)
  meet(alice, bob)
  bob.votes(between, '5')
  bob.takesBack(between)
  rule(alice, 'facilitators', true)
  const after = alice.starts(story)
  meet(alice, bob)
  expect(bob.ledger.current(story)?.id).toBe(after)
  expect(bob.participant.owedVote(bob.round(after))).toBeUndefined()
})

test('a vote again after the reveal takes nothing over', () => {
  const { alice, bob } = team()
  const first = alice.starts(story)
  meet(alice, bob)
  bob.votes(first, '5')
  meet(alice, bob)
  alice.reveals(first)
  rule(alice, 'facilitators')
  const second = alice.starts(story)
  meet(alice, bob)
  expect(bob.participant.owedVote(bob.round(second))).toBeUndefined()
})

test('what was revealed stays revealed when the rules change', () => {
  const { alice, bob } = team()
  const round = bob.starts(story)
  bob.votes(round, '5')
  bob.reveals(round)
  bob.opens(round)
  meet(alice, bob)
  rule(alice, 'facilitators')
  expect(alice.sees(round)).toEqual({ bob: 'counted 5' })
  expect(alice.ledger.current(story)?.id).toBe(round)
})

test('rules set apart from each other: the stricter hold, until somebody decides again', () => {
  const { alice, bob } = team()
  alice.publish(alice.participant.grant(bob.id))
  meet(alice, bob)
  rule(alice, 'anybody', true)
  rule(bob, 'facilitators')
  meet(alice, bob)
  for (const device of [alice, bob])
    expect(device.ledger.rules()).toMatchObject({ who: 'facilitators', auto: false })
  rule(bob, 'anybody', true)
  meet(alice, bob)
  expect(alice.ledger.rules()).toMatchObject({ who: 'anybody', auto: true })
})

test('whoever takes over may decide, and everybody sees that they did', () => {
  const { alice, bob, carol } = team()
  rule(alice, 'facilitators')
  const round = alice.starts(story)
  meet(alice, bob, carol)
  expect(bob.ledger.mayStart(bob.id)).toBe(false)
  bob.publish(bob.participant.takeOver())
  meet(alice, bob, carol)
  expect([...carol.ledger.tookOver()]).toEqual([bob.id])
  expect(carol.ledger.facilitators().has(alice.id)).toBe(true)
  expect(carol.ledger.mayDecide(bob.id, carol.round(round))).toBe(true)
  alice.publish(alice.participant.grant(bob.id))
  expect(alice.ledger.tookOver().size).toBe(0)
})

test('somebody nobody vouched for cannot take over', () => {
  const { alice } = team()
  const mallory = new Device('mallory')
  alice.publish(mallory.participant.takeOver())
  expect(alice.ledger.facilitators().has(mallory.id)).toBe(false)
})

test('a round that nobody revealed can be taken back, and begun again', () => {
  const { alice } = team()
  const first = alice.starts(story)
  alice.reveals(first)
  const second = alice.starts(story)
  expect(alice.ledger.current(story)?.id).toBe(second)
  alice.publish(alice.participant.withdraw(second))
  expect(alice.ledger.current(story)?.id).toBe(first)
  const third = alice.starts(story)
  expect(third).not.toBe(second)
  expect(alice.ledger.current(story)?.id).toBe(third)
})

test('a revealed round stays, whoever takes it back', () => {
  const { alice } = team()
  const round = alice.starts(story)
  alice.reveals(round)
  alice.publish(alice.participant.withdraw(round))
  expect(alice.ledger.withdrawn(round)).toBe(false)
  expect(alice.ledger.current(story)?.id).toBe(round)
})

test('an estimate that is taken back leaves standing what it had replaced, and can be made again', () => {
  const { alice } = team()
  const round = alice.starts(story)
  alice.votes(round, '5')
  alice.reveals(round)
  alice.opens(round)
  alice.settles(round, '5')
  const second = alice.settles(round, '8')
  expect(alice.state(round)).toMatchObject({ phase: 'settled', estimate: { card: { label: '8' } } })
  alice.publish(alice.participant.withdraw(second))
  expect(alice.state(round)).toMatchObject({ phase: 'settled', estimate: { card: { label: '5' } } })
  const third = alice.settles(round, '8')
  expect(third).not.toBe(second)
  expect(alice.state(round)).toMatchObject({ phase: 'settled', estimate: { card: { label: '8' } } })
})

test('bob cannot take back what a facilitator decided under "facilitators only"', () => {
  const { alice, bob } = team()
  rule(alice, 'facilitators')
  const round = alice.starts(story)
  alice.votes(round, '5')
  alice.reveals(round)
  alice.opens(round)
  const estimate = alice.settles(round, '5')
  meet(alice, bob)
  bob.publish(bob.participant.withdraw(estimate))
  meet(alice, bob)
  expect(alice.ledger.withdrawn(estimate)).toBe(false)
})

test('in whatever order the records arrive, everybody comes to the same', () => {
  const chance = new Chance(Number(process.env.SEED ?? 20261121))
  for (let history = 0; history < 40; history++) {
    const devices = Object.values(team())
    for (let step = 0; step < 25; step++) act(chance.pick(devices), chance)
    meet(...devices)
    const [first, ...others] = devices
    const bytes = [...(first?.doc.getMap('records').entries() ?? [])] as [string, Uint8Array][]
    const again = new Device('dave')
    for (const [key, record] of chance.shuffled(bytes)) again.ledger.add(key, record)
    for (const device of [...others, again]) expect(outcome(device)).toEqual(first && outcome(first))
  }

  function act(device: Device, chance: Chance): void {
    const { participant, ledger } = device
    const round = ledger.current(story)
    const what = chance.below(9)
    if (what === 0) rule(device, chance.happens(0.5) ? 'facilitators' : 'anybody', chance.happens(0.5))
    else if (what === 1) device.starts(story)
    else if (what === 2) device.publish(participant.takeOver())
    else if (what === 3 && round) device.publish(participant.withdraw(round.id))
    else if (what === 4 && round) device.reveals(round.id)
    else if (what === 5 && round) device.settles(round.id, chance.pick(['1', '5', '8']))
    else if (what === 6 && round) {
      const [estimate] = ledger.allEstimates(round)
      if (estimate) device.publish(participant.withdraw(estimate.record.id))
    } else if (round) device.votes(round.id, chance.pick(['1', '5', '8']))
  }

  function outcome({ ledger }: Device) {
    const current = ledger.current(story)
    return {
      current: current?.id,
      state: current && ledger.resolve(current),
      rules: ledger.rules(),
      facilitators: [...ledger.facilitators()].sort(),
      tookOver: [...ledger.tookOver()].sort(),
      rounds: ledger.allRounds(story).map(({ id }) => [id, ledger.withdrawn(id)]),
    }
  }
})

function seedOf(name: string): Uint8Array {
  return new Device(name).seed
}

test('however often people change their minds, and whoever stuffs the round, somebody reveals it', () => {
  const { alice, bob } = team()
  const round = alice.starts(story)
  for (let second = 0; second < 300; second++) {
    alice.votes(round, second % 2 ? '5' : '8')
    bob.votes(round, '1')
  }
  meet(alice, bob)
  alice.reveals(round)
  expect(alice.ledger.of(round, 'reveal').map(({ cut }) => cut.length)).toEqual([2])
  meet(alice, bob)
  expect(bob.opens(round) + alice.opens(round)).toBe(2)
  meet(alice, bob)
  expect(bob.sees(round)).toEqual({ alice: 'counted 5', bob: 'counted 1' })
  const many = Array.from({ length: 600 }, (_, at) =>
    recordIdOf(new Uint8Array(new Uint16Array([at]).buffer)),
  )
  expect(decodeRecord(alice.participant.admit(round, many))).toMatchObject({ kind: 'admit' })
})

test('each grant is looked at a few times, however long the chain of facilitators and in whatever order', () => {
  const participants = Array.from({ length: 1001 }, (_, at) =>
    participantId(Uint8Array.from({ length: 32 }, (_, byte) => (byte < 2 ? (at >> (8 * byte)) & 255 : 1))),
  )
  const [owner] = participants
  if (!owner) throw new Error('Somebody owns the session')
  let looks = 0
  const grants = participants.slice(1).map((participant, at): RecordOf<'grant'> => {
    const author = participants[at] ?? owner
    return {
      id: participant as string as RecordId,
      kind: 'grant',
      role: 'facilitator',
      participant,
      get author() {
        looks++
        return author
      },
    }
  })
  const { facilitators } = findOffices(owner, grants.reverse(), () => true)
  expect(facilitators.size).toBe(1000)
  expect(looks).toBeLessThan(5 * grants.length)
})
