/** Each row of the table of situations: who is where when something happens, and what everybody sees in the end. */
import { expect, test } from 'vitest'
import type { Card } from './deck.ts'
import { storyId } from './id.ts'
import { bytesOf, Device, meet } from './testing.ts'

function team() {
  const people = ['alice', 'bob', 'carol'].map((name) => new Device(name).introduces()) as [
    Device,
    Device,
    Device,
  ]
  const round = people[0].starts()
  meet(...people)
  return { people, alice: people[0], bob: people[1], carol: people[2], round }
}

test('a voter who is offline at the reveal stays sealed, and counts when they return', () => {
  const { alice, bob, carol, people, round } = team()
  carol.votes(round, '8')
  alice.votes(round, '5')
  meet(...people)
  bob.reveals(round)
  alice.hears(bob)
  alice.opens(round)
  bob.hears(alice)
  expect(bob.sees(round)).toEqual({ alice: 'counted 5', carol: 'sealed' })
  carol.hears(bob)
  expect(carol.opens(round)).toBe(1)
  meet(...people)
  for (const person of people) expect(person.sees(round)).toEqual({ alice: 'counted 5', carol: 'counted 8' })
})

test('a vote on its way during the reveal is late until somebody admits it', () => {
  const { alice, bob, carol, people, round } = team()
  alice.votes(round, '5')
  bob.hears(alice)
  const late = carol.votes(round, '1')
  bob.reveals(round)
  meet(...people)
  expect(carol.opens(round)).toBe(0)
  alice.opens(round)
  meet(...people)
  expect(bob.sees(round)).toEqual({ alice: 'counted 5', carol: 'late' })
  bob.admits(round, late)
  meet(...people)
  expect(carol.opens(round)).toBe(1)
  meet(...people)
  for (const person of people) expect(person.sees(round)).toEqual({ alice: 'counted 5', carol: 'counted 1' })
})

test('reveals in two halves of a partition open what either covered', () => {
  const { alice, bob, carol, people, round } = team()
  alice.votes(round, '5')
  bob.votes(round, '8')
  alice.reveals(round)
  bob.reveals(round)
  meet(...people)
  alice.opens(round)
  bob.opens(round)
  meet(...people)
  expect(carol.sees(round)).toEqual({ alice: 'counted 5', bob: 'counted 8' })
})

test('a reveal made in knowledge of another does not let a later vote count', () => {
  const { alice, bob, people, round } = team()
  alice.votes(round, '5')
  alice.reveals(round)
  alice.opens(round)
  bob.hears(alice)
  bob.votes(round, '5')
  bob.reveals(round)
  meet(...people)
  expect(alice.sees(round)).toEqual({ alice: 'counted 5', bob: 'late' })
})

test('two different estimates made apart are a conflict, the lower card first, which settling again resolves', () => {
  const { alice, bob, people, round } = team()
  alice.votes(round, '5')
  bob.votes(round, '8')
  meet(...people)
  alice.reveals(round)
  meet(...people)
  alice.settles(round, '8')
  bob.settles(round, '5')
  meet(...people)
  for (const person of people) {
    const state = person.state(round)
    expect(state.phase === 'conflict' && state.estimates.map(({ card }) => card.label)).toEqual(['5', '8'])
  }
  bob.settles(round, '5')
  meet(...people)
  for (const person of people) {
    const state = person.state(round)
    expect(state.phase === 'settled' && state.estimate.card.label).toBe('5')
  }
})

test('the same estimate made apart is no conflict', () => {
  const { alice, bob, people, round } = team()
  alice.reveals(round)
  meet(...people)
  alice.settles(round, '5')
  bob.settles(round, '5')
  meet(...people)
  expect(alice.state(round).phase).toBe('settled')
  expect(alice.state(round)).toEqual(bob.state(round))
})

test('second thoughts before the reveal: the later seal counts; taking back leaves no vote', () => {
  const { alice, bob, people, round } = team()
  alice.votes(round, '1')
  alice.votes(round, '8')
  bob.votes(round, '5')
  bob.takesBack(round)
  meet(...people)
  expect(alice.sees(round)).toEqual({ alice: 'voted' })
  alice.reveals(round)
  meet(...people)
  for (const person of people) person.opens(round)
  meet(...people)
  expect(bob.sees(round)).toEqual({ alice: 'counted 8' })
})

test('second thoughts after the reveal are a new round, and the old one stays', () => {
  const { alice, people, round } = team()
  alice.votes(round, '1')
  alice.reveals(round)
  alice.opens(round)
  const again = alice.starts()
  alice.votes(again, '8')
  meet(...people)
  for (const person of people) {
    expect(person.ledger.current('quick')?.id).toBe(again)
    expect(person.sees(round)).toEqual({ alice: 'counted 1' })
  }
})

test('two rounds started apart are both kept, all go on with one, and a hidden vote moves there', () => {
  const { alice, bob, people, round } = team()
  const story = storyId(bytesOf(7, 10))
  const started = { alice: alice.starts(story), bob: bob.starts(story) }
  alice.votes(started.alice, '5')
  bob.votes(started.bob, '8')
  meet(...people)
  const current = alice.ledger.current(story)
  if (!current) throw new Error('No round is current')
  expect(Object.values(started)).toContain(current.id)
  expect(alice.ledger.rounds(story)).toHaveLength(2)
  for (const person of people) expect(person.ledger.current(story)?.id).toBe(current.id)
  const [mover, choice] = current.id === started.alice ? [bob, 2] : [alice, 1]
  expect(mover.participant.owedVote(current)).toEqual({ card: choice, unsure: false })
  expect(round).not.toBe(current.id)
})

/** Three rounds started apart, in the order in which they come to alice's table: each is the current one when it comes. */
function threeApart() {
  const { people } = team()
  const story = storyId(bytesOf(7, 10))
  const started = people.map((person) => ({ person, round: person.starts(story) }))
  const [first, second, third] = started.sort((a, b) => (a.round > b.round ? -1 : 1))
  if (!first || !second || !third) throw new Error('Three people start three rounds')
  const table = new Device('alice')
  table.hears(first.person)
  const carries = () => {
    const current = table.ledger.current(story)
    return current && table.participant.owedVote(current)
  }
  return { table, first, second, third, carries }
}

test('of rounds started apart the one that was on the table last gives the hidden vote on', () => {
  const { table, first, second, third, carries } = threeApart()
  table.votes(first.round, '1')
  table.hears(second.person)
  expect(carries()).toEqual({ card: 0, unsure: false })
  table.votes(second.round, '8')
  table.hears(third.person)
  expect(carries()).toEqual({ card: 2, unsure: false })
})

test('a vote that was taken back does not come back from a round before', () => {
  const { table, first, second, third, carries } = threeApart()
  table.votes(first.round, '1')
  table.hears(second.person)
  table.votes(second.round, '1')
  table.takesBack(second.round)
  table.hears(third.person)
  expect(carries()).toBeUndefined()
})

test('whoever starts a round with other cards beside theirs does not learn by who votes there what was chosen', () => {
  const { alice, bob, people } = team()
  const story = storyId(bytesOf(7, 10))
  const theirs = bob.starts(story)
  meet(...people)
  const { cards } = bob.round(theirs)
  const owed = (cards: readonly Card[], underOtherRules: boolean) => {
    const mallory = new Device('mallory').introduces()
    if (underOtherRules) {
      mallory.hears(bob)
      mallory.publish(mallory.participant.takeOver())
      mallory.publish(mallory.participant.setRules({ who: 'anybody', auto: false, escrow: false }))
    }
    const beside = mallory.publish(mallory.participant.startRound(story, cards))
    const asked = new Device('alice')
    asked.hears(alice)
    asked.hears(mallory)
    return asked.participant.owedVote(asked.round(beside))
  }
  for (const [card, face] of cards.entries()) {
    alice.votes(theirs, face.label)
    const others = cards.filter((other) => other !== face)
    for (const underOtherRules of [false, true]) {
      expect(owed([face], underOtherRules)).toBe(undefined)
      expect(owed(others, underOtherRules)).toBe(undefined)
      expect(owed([{ label: 'more' }, ...cards], underOtherRules)).toEqual({ card: card + 1, unsure: false })
    }
  }
})

test('two devices of one person that contradict each other void the vote, and both cards are shown', () => {
  const { alice, bob, people, round } = team()
  const phone = new Device('alice')
  phone.hears(alice)
  alice.votes(round, '1')
  phone.votes(round, '8')
  meet(...people, phone)
  bob.reveals(round)
  meet(...people, phone)
  expect(alice.opens(round)).toBe(2)
  meet(...people)
  expect(bob.sees(round)).toEqual({ alice: 'void 1 8' })
})

test('a later vote of the same person settles what their two devices contradicted before', () => {
  const { alice, bob, people, round } = team()
  const phone = new Device('alice')
  phone.hears(alice)
  alice.votes(round, '1')
  phone.votes(round, '8')
  meet(alice, phone)
  phone.votes(round, '5')
  meet(...people, phone)
  bob.reveals(round)
  meet(...people)
  alice.opens(round)
  meet(...people)
  expect(bob.sees(round)).toEqual({ alice: 'counted 5' })
})
