import { expect, test } from 'vitest'
import { eventsBetween } from './events.ts'
import { alice, bob, tableWith } from './seen.testing.ts'
import type { Seen, SeenTable, SeenVote } from './seen.ts'
import { sentence } from './sentences.ts'

const result = { consensus: false, median: '5', mean: 5, lowest: '5', highest: '5' }

function revealed(his: SeenVote, more: Partial<SeenTable> = {}): Seen {
  const votes = new Map<typeof bob, SeenVote>([
    [alice, { state: 'counted', card: '5' }],
    [bob, his],
  ])
  return tableWith({ revealedBy: [alice], votes, result, ...more })
}

const told = (before: Seen | undefined, now: Seen) => eventsBetween(before, now).map(sentence)

test('whoever comes in is told where things stand', () => {
  expect(told(undefined, tableWith({ voted: new Set([bob]) }))).toEqual([
    'session: Sprint 12, 1 story. You are alice.',
    'joined: bob',
    'round: TIK-1 Search by key, with 3 5 8',
    'voted: bob',
  ])
})

test('a vote that is taken back is told of', () => {
  const voted = tableWith({ voted: new Set([alice, bob]), chosen: '5' })
  expect(told(tableWith({ voted: new Set([alice]) }), voted)).toEqual(['voted: bob', 'chosen: 5'])
  expect(told(voted, tableWith({ voted: new Set([alice]), chosen: '5' }))).toEqual(['took back: bob'])
})

test('the result is told once every card is open', () => {
  const closed = revealed({ state: 'sealed' })
  expect(told(tableWith({ voted: new Set([alice, bob]) }), closed)).toEqual([
    'revealed by alice: alice 5, bob (not open yet)',
  ])
  const open = { consensus: false, median: '8', mean: 6.5, lowest: '5', highest: '8' }
  expect(told(closed, revealed({ state: 'counted', card: '8', unsure: true }, { result: open }))).toEqual([
    'vote: bob 8 (unsure)',
    'result: from 5 to 8, median 8, mean 6.5',
  ])
})

test('a vote that comes late is told of as such', () => {
  const alone = tableWith({
    revealedBy: [alice],
    votes: new Map([[alice, { state: 'counted', card: '5' }]]),
    result,
  })
  expect(told(alone, revealed({ state: 'late' }))).toEqual(['vote: bob (late, not counted)'])
})

test('estimates made apart are a conflict until somebody settles it', () => {
  const before = revealed({ state: 'counted', card: '5' })
  const apart = revealed({ state: 'counted', card: '5' }, { estimates: ['3', '5'] })
  expect(told(before, apart)).toEqual([
    'conflict: 3 and 5 for TIK-1 Search by key. Somebody has to settle it',
  ])
  const settled = revealed({ state: 'counted', card: '5' }, { estimates: ['5'] })
  expect(told(apart, settled)).toEqual(['estimate: 5 for TIK-1 Search by key'])
})

test('nothing is told when nothing happened', () => {
  expect(told(revealed({ state: 'sealed' }), revealed({ state: 'sealed' }))).toEqual([])
})
