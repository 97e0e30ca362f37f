import { expect, test, vi } from 'vitest'
import { type PastRound, type Times, tellRounds } from './chronicle.ts'
import type { Card } from './deck.ts'
import { type RoundId, storyId } from './id.ts'
import { Ledger } from './ledger.ts'
import { recordIdOf } from './record.ts'
import { votesOf } from './round.ts'
import { bytesOf, Chance, cards, Device, meet, memberKeys } from './testing.ts'

// The same Ed25519 from the platform, fourteen times as fast: thousands of statements are signed here, and read by several.
vi.mock('@noble/ed25519', () => import('./native-ed25519.testing.ts'))

const story = storyId(bytesOf(1, 10))
const hour = 3_600_000
const noTimes: Times = new Map()

function aliceAndBob(): [alice: Device, bob: Device] {
  const people: [Device, Device] = [new Device('alice').introduces(), new Device('bob').introduces()]
  meet(...people)
  return people
}

/** All of them vote and open, in this round; the first of them reveals. */
function playRound(people: readonly Device[], id: RoundId, places: readonly number[]) {
  const [first] = people as [Device]
  meet(...people)
  people.forEach((person, at) => {
    const card = places[at]
    if (card !== undefined) person.publish(person.participant.choose(id, { card, unsure: false }))
  })
  meet(...people)
  const reveal = first.reveals(id)
  meet(...people)
  for (const person of people) person.opens(id)
  meet(...people)
  return reveal
}

function playWith(deck: readonly Card[], people: readonly Device[], ...places: number[]): RoundId {
  const [first] = people as [Device]
  const id = first.publish(first.participant.startRound(story, deck))
  playRound(people, id, places)
  return id
}

function stepsIn(round: PastRound | undefined): (number | undefined)[] | undefined {
  return round?.movement?.moves.map(({ steps }) => steps)
}

test('a story’s rounds are told in order, with who revealed them, when, and how the votes moved', () => {
  const [alice, bob] = aliceAndBob()
  const first = alice.starts(story)
  const firstReveal = playRound([alice, bob], first, [0, 2])
  const second = playWith(cards, [alice, bob], 1, 2)
  const times = new Map([
    [first, hour],
    [firstReveal, hour + 60_000],
  ])
  const [before, after, ...more] = tellRounds(bob.ledger, story, times)
  expect(more).toEqual([])
  expect(before).toMatchObject({
    record: { id: first, cards },
    state: { phase: 'revealed', revealedBy: [alice.id] },
    started: hour,
    revealed: hour + 60_000,
    movement: undefined,
    withdrawn: false,
  })
  expect(after).toMatchObject({ record: { id: second }, started: undefined, revealed: undefined })
  expect(after?.movement?.agreement).toEqual([0.5, 0.5])
  expect(after?.movement?.median.map((card) => card?.label)).toEqual(['8', '8'])
  const moves = after?.movement?.moves.map(({ voter, from, to, steps }) => [
    voter,
    [from.label, to.label, steps],
  ])
  expect(Object.fromEntries(moves ?? [])).toEqual({
    [alice.id]: ['1', '5', 1],
    [bob.id]: ['8', '8', 0],
  })
})

test('two people who reveal at once are both told, and the earlier time is the one of the reveal', () => {
  const [alice, bob] = aliceAndBob()
  const round = alice.starts(story)
  meet(alice, bob)
  const times = new Map([
    [alice.reveals(round), 2 * hour],
    [bob.reveals(round), hour],
  ])
  meet(alice, bob)
  const [told] = tellRounds(alice.ledger, story, times)
  expect(told?.revealed).toBe(hour)
  expect(told?.state).toMatchObject({ revealedBy: [alice.id, bob.id].sort() })
})

test('a time that no calendar has is no time', () => {
  const [alice] = aliceAndBob()
  const round = alice.starts(story)
  for (const time of [-hour, 0, 1e300]) {
    expect([...tellRounds(alice.ledger, story, new Map([[round, time]]))][0]?.started).toBeUndefined()
  }
})

test('a round that was taken back is told, says so, and nothing is measured by it', () => {
  const [alice, bob] = aliceAndBob()
  playWith(cards, [alice, bob], 0, 0)
  alice.publish(alice.participant.withdraw(alice.starts(story)))
  playWith(cards, [alice, bob], 1, 2)
  const told = [...tellRounds(alice.ledger, story, noTimes)]
  expect(told.map(({ withdrawn }) => withdrawn)).toEqual([false, true, false])
  expect(told.map(stepsIn)).toEqual([undefined, undefined, expect.arrayContaining([1, 2])])
})

test('special cards between the others are no steps, and may change from round to round', () => {
  const people = aliceAndBob()
  const [one, five, eight] = cards as [Card, Card, Card]
  const coffee: Card = { label: '☕', special: true }
  playWith([one, coffee, five, eight], people, 0, 0)
  playWith([one, five, eight], people, 2, 2)
  playWith([one, coffee, five, eight], people, 0, 1)
  const [, up, down] = tellRounds(people[0].ledger, story, noTimes)
  expect(stepsIn(up)).toEqual([2, 2])
  expect(new Set(stepsIn(down))).toEqual(new Set([-2, undefined]))
})

test('between different decks the cards moved, by no number of steps', () => {
  const people = aliceAndBob()
  playWith(cards, people, 0, 1)
  playWith([{ label: 'S' }, { label: 'L' }], people, 1, 1)
  const [, after] = tellRounds(people[0].ledger, story, noTimes)
  expect(stepsIn(after)).toEqual([undefined, undefined])
  expect(after?.movement?.median.map((card) => card?.label)).toEqual(['5', 'L'])
})

test('when nobody knew at first there was no agreement to begin with, rather than none at all', () => {
  const people = aliceAndBob()
  playWith(cards, people, 3, 3)
  playWith(cards, people, 1, 1)
  const [, after] = tellRounds(people[0].ledger, story, noTimes)
  expect(after?.movement?.agreement).toEqual([undefined, 1])
  expect(after?.movement?.median[0]).toBeUndefined()
})

test('quick rounds are told without movement: each is about something else', () => {
  const people = aliceAndBob()
  const [alice] = people
  for (const place of [0, 2]) playRound(people, alice.starts(), [place, place])
  const told = [...tellRounds(alice.ledger, 'quick', noTimes)]
  expect(told.map(({ tally, movement }) => [tally?.consensus, movement])).toEqual([
    [true, undefined],
    [true, undefined],
  ])
})

test('asking for one story verifies nothing of the others, and a round at a time nothing of the later ones', () => {
  const people = aliceAndBob()
  const [alice] = people
  for (let round = 0; round < 3; round++) playWith(cards, people, 0, 1)
  playRound(people, alice.starts(), [0, 1])
  const carol = new Device('carol')
  carol.hears(alice)
  const portions: number[] = []
  for (const _ of tellRounds(carol.ledger, story, noTimes))
    portions.push(carol.ledger.signatures.verified().length / 16)
  // Two profiles and three rounds first, then two seals and a reveal of each round.
  expect(portions).toEqual([8, 11, 14])
  expect([...tellRounds(carol.ledger, 'quick', noTimes)]).toHaveLength(1)
  expect(carol.ledger.signatures.verified().length / 16).toBe(18)
})

test('any order of arrival tells the same chronicle, and each tally has the votes that count', () => {
  const histories = Number(process.env.CHRONICLES ?? 40)
  let movements = 0
  for (let seed = 1; seed <= histories; seed++) {
    const chance = new Chance(seed)
    const people = ['alice', 'bob', 'carol'].map((name) => new Device(name).introduces())
    meet(...people)
    for (let round = 0; round < 3; round++) {
      const starter = chance.pick(people)
      const id = starter.starts(story)
      const places = people.map(() => chance.below(cards.length))
      if (chance.happens(0.8)) playRound([starter, ...people.filter((one) => one !== starter)], id, places)
      else if (chance.happens(0.5)) starter.publish(starter.participant.withdraw(id))
      if (chance.happens(0.8)) meet(...people)
    }
    meet(...people)
    const [alice] = people as [Device]
    const told = [...tellRounds(alice.ledger, story, noTimes)]
    const shuffled = new Ledger(memberKeys)
    shuffled.signatures.trust(alice.ledger.signatures.verified())
    const records = [...alice.doc.getMap<Uint8Array>('records').values()]
    for (const bytes of chance.shuffled(records)) shuffled.add(recordIdOf(bytes), bytes)
    expect([...tellRounds(shuffled, story, noTimes)], `seed ${seed}`).toEqual(told)
    for (const { state, tally, movement } of told) {
      expect(tally?.votes ?? 0).toBe(votesOf(state).length)
      if (!movement) continue
      movements++
      const voters = new Set(votesOf(state).map(({ voter }) => voter))
      expect(movement.moves.every(({ voter }) => voters.has(voter))).toBe(true)
      for (const { from, to, steps } of movement.moves) {
        const distance = cards.indexOf(find(to)) - cards.indexOf(find(from))
        expect(steps).toBe(from.special || to.special ? undefined : distance)
      }
    }
  }
  expect(movements).toBeGreaterThan(histories / 2)
})

function find(card: Card): Card {
  const found = cards.find(({ label }) => label === card.label)
  if (!found) throw new Error(`No card says ${card.label}`)
  return found
}
