import { expect, test } from 'vitest'
import type { PastRound } from './chronicle.ts'
import { builtInDecks, type Card } from './deck.ts'
import { storyId } from './id.ts'
import { alice, bob, carol, PlainRecords, resolve } from './round.testing.ts'
import { votesOf } from './round.ts'
import { type Statistics, statisticsOf, type Told } from './statistics.ts'
import { tally } from './tally.ts'
import { bytesOf, Chance } from './testing.ts'

const hour = 3_600_000
const five: Card = { label: '5', number: 5 }
const eight: Card = { label: '8', number: 8 }
const people = [alice, bob, carol]
const plain = new PlainRecords()

interface Played {
  readonly votes?: readonly number[]
  readonly cards?: readonly Card[]
  readonly started?: number
  readonly revealed?: number
  readonly withdrawn?: boolean
}

/** A round in which alice, bob and carol chose these places of its cards; open when nobody is said to have voted. */
function played({ votes, cards, started, revealed, withdrawn = false }: Played): PastRound {
  const made = plain.round(alice, storyId(bytesOf(1, 10)))
  const record = { ...made, cards: cards ?? made.cards }
  const seals = (votes ?? []).map((card, at) => plain.seal(record.id, people[at] ?? alice, 1, card))
  const reveal = plain.reveal(
    record.id,
    alice,
    seals.map(({ id }) => id),
  )
  const state = resolve(record, votes ? [...seals, reveal, ...seals.map((seal) => plain.open(seal))] : [])
  const counted = state.phase === 'voting' ? undefined : tally(record.cards, votesOf(state))
  return { record, state, tally: counted, withdrawn, started, revealed, movement: undefined }
}

function told(story: string, rounds: readonly PastRound[], estimate?: Card, settled?: number): Told<string> {
  return { story, rounds, estimate, settled }
}

const shares = (statistics: Statistics<string>) => statistics.agreement.map(({ share }) => share)

test('a session in which nothing happened has numbers too', () => {
  const nothing = {
    settled: 0,
    sum: 0,
    withoutNumber: 0,
    rounds: 0,
    roundsPerStory: undefined,
    consensus: undefined,
    matrix: [],
    agreement: [],
    durations: [],
    medianDuration: undefined,
  }
  expect(statisticsOf([])).toEqual({ stories: 0, ...nothing })
  expect(statisticsOf([told('Search', []), told('Export', [played({})])])).toEqual({ stories: 2, ...nothing })
})

test('a session comes to sums, a matrix, agreement and times', () => {
  const search = [
    played({ votes: [0, 2], started: hour, revealed: hour + 60_000 }),
    played({ votes: [1, 1], started: 2 * hour, revealed: 2 * hour + 60_000 }),
  ]
  const stories = [
    told('Export', []),
    told('Sign in', [], { label: 'XL' }),
    told('Search', search, five, 3 * hour),
  ]
  expect(statisticsOf(stories)).toEqual({
    stories: 3,
    settled: 2,
    sum: 5,
    withoutNumber: 1,
    rounds: 2,
    roundsPerStory: 2,
    consensus: 0.5,
    matrix: [
      { card: five, stories: ['Search'] },
      { card: { label: 'XL' }, stories: ['Sign in'] },
    ],
    agreement: [
      { story: 'Search', share: 0.5, mean: 0.5 },
      { story: 'Search', share: 1, mean: 0.75 },
    ],
    durations: [{ story: 'Search', milliseconds: 2 * hour }],
    medianDuration: 2 * hour,
  })
})

test('agreement is told in the order of the reveals, whatever the order of the backlog', () => {
  const later = told('Search', [played({ votes: [0, 0], revealed: 2 * hour })])
  const first = told('Export', [played({ votes: [0, 2], revealed: hour })])
  expect(shares(statisticsOf([later, first]))).toEqual([0.5, 1])
})

test('the moving mean is over the last five rounds', () => {
  const split = Array.from({ length: 5 }, (_, at) => played({ votes: [0, 2], revealed: at + 1 }))
  const agreed = played({ votes: [1, 1], revealed: 10 })
  const { agreement } = statisticsOf([told('Search', [...split, agreed])])
  expect(agreement.map(({ mean }) => mean)).toEqual([0.5, 0.5, 0.5, 0.5, 0.5, 0.6])
})

test('a round in which nobody knew says nothing about agreement, but it was a round', () => {
  const statistics = statisticsOf([told('Search', [played({ votes: [3, 3] }), played({ votes: [] })])])
  expect(statistics).toMatchObject({ rounds: 2, consensus: undefined, agreement: [] })
})

test('a clock that is years off takes no part in the times', () => {
  const rounds = [played({ votes: [1, 1], started: hour })]
  const settled = [-1, hour, hour + 1, 25 * hour, 25 * hour + 1, 10 * 365 * 24 * hour]
  const stories = settled.map((at) => told(String(at), rounds, five, at))
  const durations = statisticsOf(stories).durations.map(({ milliseconds }) => milliseconds)
  expect(durations).toEqual([1, 24 * hour])
})

test('a round that alice started by mistake and took back is not when the story began', () => {
  const rounds = [played({ started: hour, withdrawn: true }), played({ votes: [1, 1], started: 3 * hour })]
  expect(statisticsOf([told('Search', rounds, five, 4 * hour)]).medianDuration).toBe(hour)
})

test('columns stand in the order of the deck that an estimate is from, even when a later round had another', () => {
  const shirts = builtInDecks.shirts.cards
  const sizes = [played({ cards: shirts, votes: [4, 4] }), played({ votes: [0, 0] })]
  const large = told('Search', sizes, { label: 'XL' })
  const small = told('Export', [played({ cards: shirts, votes: [1, 1] })], { label: 'S' })
  const stories = [large, told('Sign in', [], eight), small, told('Sign out', [], five)]
  const labels = statisticsOf(stories).matrix.map(({ card }) => card.label)
  expect(labels).toEqual(['5', '8', 'S', 'XL'])
})

test('in random sessions the sums agree with the stories, in whatever order those are', () => {
  const estimates = [...builtInDecks.shirts.cards, ...builtInDecks.halfSteps.cards, undefined, undefined]
  const someDecks = [builtInDecks.shirts.cards, builtInDecks.shirts.cards.slice(2), builtInDecks.thumbs.cards]
  const sessions = Number(process.env.SESSIONS ?? 300)
  for (let seed = 1; seed <= sessions; seed++) {
    const chance = new Chance(seed)
    let clock = 0
    const stories = Array.from({ length: chance.below(12) }, (_, at): Told<string> => {
      const rounds = Array.from({ length: chance.below(4) }, () => {
        const votes = chance.happens(0.8) ? people.map(() => chance.below(4)) : undefined
        clock += 1 + chance.below(3 * hour)
        const cards = chance.pick(someDecks)
        return played(
          votes ? { cards, votes, started: clock, revealed: clock + 60_000 } : { cards, started: clock },
        )
      })
      return told(`story ${at}`, rounds, chance.pick(estimates), clock + 120_000)
    })
    const statistics = statisticsOf(stories)
    expect(inAnyOrder(statisticsOf(chance.shuffled(stories))), `seed ${seed}`).toEqual(inAnyOrder(statistics))

    const settled = stories.filter(({ estimate }) => estimate)
    const columns = statistics.matrix.flatMap(({ card, stories }) => stories.map((story) => [story, card]))
    expect(new Map(columns as [string, Card][])).toEqual(
      new Map(settled.map(({ story, estimate }) => [story, estimate])),
    )
    expect(columns).toHaveLength(statistics.settled)
    const numbers = statistics.matrix.map(({ card, stories }) => (card.number ?? 0) * stories.length)
    expect(statistics.sum).toBe(numbers.reduce((sum, number) => sum + number, 0))
    const revealed = stories.flatMap(({ rounds }) => rounds.filter(({ tally }) => tally))
    expect(statistics.rounds).toBe(revealed.length)
    expect(statistics.agreement).toHaveLength(
      revealed.filter(({ tally }) => tally && tally.groups.length > 0).length,
    )
    for (const { share, mean } of statistics.agreement) {
      expect(share > 0 && share <= 1 && mean > 0 && mean <= 1).toBe(true)
    }
  }
})

/** Stories of one card, and durations, stand as the stories were given. */
function inAnyOrder({ matrix, durations, ...statistics }: Statistics<string>) {
  return {
    ...statistics,
    matrix: matrix.map(({ card, stories }) => ({ card, stories: [...stories].sort() })),
    durations: [...durations].sort((a, b) => (a.story < b.story ? -1 : 1)),
  }
}
