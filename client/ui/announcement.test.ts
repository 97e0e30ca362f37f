// @vitest-environment happy-dom
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { FakeSession, fakePerson, fakeSeal } from '../session/testing.svelte.ts'
import { announcements } from './announcement.ts'
import { onceRevealed } from './once-revealed.svelte.ts'

const [alice, bob, carol] = [fakePerson('alice', { me: true }), fakePerson('bob'), fakePerson('carol')]
let session: FakeSession

beforeAll(() => onceRevealed.load())

beforeEach(() => {
  session = new FakeSession()
  session.people = [alice, bob, carol]
})

function heard(): readonly string[] {
  if (!session.table) throw new Error('There is no table')
  return announcements(session, session.table, session.people.length)
}

test('nothing is said before somebody votes, then how many have', () => {
  expect(heard()).toEqual([])
  session.begin({ votes: [[bob, 4]] })
  expect(heard()).toEqual(['1 of 3 have voted'])
})

test('a vote that comes late is a sentence of its own, so that the result is not said again', () => {
  const votes = [
    [alice, 4],
    [bob, 5],
  ] as const
  session.begin({ votes, revealed: true })
  const before = heard()
  expect(before).toEqual(['Revealed: median 8', 'alice (5) and bob (8) speak first.'])
  session.begin({ votes: [...votes, [carol, { state: 'late', seals: [fakeSeal()] }]], revealed: true })
  expect(heard()).toEqual([...before, 'carol voted after the reveal.'])
})

test('after a reveal alice hears who speaks first, unless bob and carol chose her card or the story is settled', () => {
  const votes = [
    [alice, 4],
    [bob, 2],
    [carol, 7],
  ] as const
  session.begin({ votes, revealed: true })
  expect(heard()).toEqual(['Revealed: median 5', 'bob (2) and carol (21) speak first.'])
  session.begin({ votes, revealed: true, settled: [{ card: 4, by: alice }] })
  expect(heard()).toEqual(['Settled at 5'])
  session.begin({ votes: [alice, bob, carol].map((person) => [person, 4] as const), revealed: true })
  expect(heard()).toEqual(['Revealed: consensus on 5'])
})

test('everybody but themselves hears who took over', () => {
  session.people = [
    { ...alice, tookOver: true },
    { ...bob, tookOver: true },
  ]
  expect(heard()).toEqual(['bob has taken over as facilitator.'])
})
