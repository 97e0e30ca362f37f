import { expect, test } from 'vitest'
import { chronicleOf } from './chronicle.ts'
import { type RecordId, storyId } from './id.ts'
import { statisticsOf } from './statistics.ts'
import { bytesOf, Device, meet } from './testing.ts'

const story = storyId(bytesOf(1, 10))
const hour = 3_600_000

/** Two rounds on one story: apart first, then together. */
function twoRounds() {
  const alice = new Device('alice').introduces()
  const bob = new Device('bob').introduces()
  meet(alice, bob)
  const times = new Map<RecordId, number>()
  const round = (aliceSays: string, bobSays: string, at: number) => {
    const id = alice.starts(story)
    times.set(id, at)
    meet(alice, bob)
    alice.votes(id, aliceSays)
    bob.votes(id, bobSays)
    meet(alice, bob)
    times.set(alice.reveals(id), at + 60_000)
    meet(alice, bob)
    alice.opens(id)
    bob.opens(id)
    meet(alice, bob)
    return id
  }
  round('1', '8', hour)
  const second = round('5', '8', 2 * hour)
  return { alice, bob, second, times }
}

test('a story’s rounds are told in order, with how the votes moved', () => {
  const { alice, bob, times } = twoRounds()
  const [first, second] = chronicleOf(alice.ledger, story, times)
  expect(first).toMatchObject({
    started: hour,
    revealed: hour + 60_000,
    movement: undefined,
    withdrawn: false,
  })
  expect(second?.movement?.agreement).toEqual([0.5, 0.5])
  expect(second?.movement?.median.map((card) => card?.label)).toEqual(['8', '8'])
  const moves = second?.movement?.moves.map(({ voter, from, to, steps }) => [
    voter,
    from.label,
    to.label,
    steps,
  ])
  expect(new Map(moves?.map(([voter, ...move]) => [voter, move]))).toEqual(
    new Map([
      [alice.id, ['1', '5', 1]],
      [bob.id, ['8', '8', 0]],
    ]),
  )
})

test('a round that was taken back is told, and says so', () => {
  const { alice, times } = twoRounds()
  const third = alice.starts(story)
  alice.publish(alice.participant.withdraw(third))
  expect(chronicleOf(alice.ledger, story, times).map(({ withdrawn }) => withdrawn)).toEqual([
    false,
    false,
    true,
  ])
})

test('a session comes to sums, a matrix, agreement and times', () => {
  const { alice, times } = twoRounds()
  const rounds = chronicleOf(alice.ledger, story, times)
  const settled = { story: 'Search', rounds, estimate: { label: '5', number: 5 }, settled: 3 * hour }
  const size = { story: 'Sign in', rounds: [], estimate: { label: 'XL' }, settled: undefined }
  const open = { story: 'Export', rounds: [], estimate: undefined, settled: undefined }
  expect(statisticsOf([open, size, settled])).toEqual({
    stories: 3,
    settled: 2,
    sum: 5,
    withoutNumber: 1,
    rounds: 2,
    consensus: 0,
    matrix: [
      { card: { label: '5', number: 5 }, stories: ['Search'] },
      { card: { label: 'XL' }, stories: ['Sign in'] },
    ],
    agreement: [
      { story: 'Search', share: 0.5 },
      { story: 'Search', share: 0.5 },
    ],
    durations: [{ story: 'Search', milliseconds: 2 * hour }],
    medianDuration: 2 * hour,
  })
})

test('a session in which nothing happened has numbers too', () => {
  expect(statisticsOf([])).toMatchObject({
    stories: 0,
    sum: 0,
    consensus: undefined,
    medianDuration: undefined,
  })
})

test('a clock that is years off takes no part in the times', () => {
  const { alice, times } = twoRounds()
  const rounds = chronicleOf(alice.ledger, story, times)
  const settled = [-1, 10 * 365 * 24 * hour].map((at) => ({
    story: 'Search',
    rounds,
    estimate: { label: '5', number: 5 },
    settled: at,
  }))
  expect(statisticsOf(settled).durations).toEqual([])
})
