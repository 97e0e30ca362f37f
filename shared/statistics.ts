/** What a session comes to, as plain numbers for drawings. Nothing here ranks people. */
import type { PastRound } from './chronicle.ts'
import { type Card, isSameCard } from './deck.ts'

/** One story, or the quick rounds, with all its rounds. */
export interface Told<Story> {
  readonly story: Story
  readonly rounds: readonly PastRound[]
  /** The estimate that stands; undefined while there is none, or several. */
  readonly estimate: Card | undefined
  /** When it was settled last, in milliseconds; undefined when nobody noted it. */
  readonly settled: number | undefined
}

export interface Column<Story> {
  readonly card: Card
  readonly stories: readonly Story[]
}

export interface Statistics<Story> {
  readonly stories: number
  readonly settled: number
  /** Of the estimates that have a number. */
  readonly sum: number
  readonly withoutNumber: number
  /** Revealed rounds. */
  readonly rounds: number
  /** 0 to 1: the share of revealed rounds in which all chose the same card; undefined without any. */
  readonly consensus: number | undefined
  /** Which stories got which card, in the order of the cards. */
  readonly matrix: readonly Column<Story>[]
  /** 0 to 1 for each revealed round, the earliest first. */
  readonly agreement: readonly { readonly story: Story; readonly share: number }[]
  /** Milliseconds from the first round to the estimate, of stories where that is known. */
  readonly durations: readonly { readonly story: Story; readonly milliseconds: number }[]
  readonly medianDuration: number | undefined
}

/** Longer ones were left open over night, or a clock is wrong. */
const longest = 24 * 60 * 60 * 1000

export function statisticsOf<Story>(told: readonly Told<Story>[]): Statistics<Story> {
  const settled = told.filter(({ estimate }) => estimate)
  const numbers = settled.flatMap(({ estimate }) => estimate?.number ?? [])
  const revealed = told.flatMap(({ story, rounds }) =>
    rounds.flatMap((round) => (round.tally ? [{ story, round, tally: round.tally }] : [])),
  )
  const judged = revealed.filter(({ tally }) => tally.agreement !== undefined)
  const durations = told.flatMap(durationOf)
  return {
    stories: told.length,
    settled: settled.length,
    sum: numbers.reduce((sum, number) => sum + number, 0),
    withoutNumber: settled.length - numbers.length,
    rounds: revealed.length,
    consensus:
      judged.length > 0 ? judged.filter(({ tally }) => tally.consensus).length / judged.length : undefined,
    matrix: matrixOf(settled),
    agreement: [...judged]
      .sort((a, b) => (a.round.revealed ?? 0) - (b.round.revealed ?? 0))
      .map(({ story, tally }) => ({ story, share: tally.agreement ?? 0 })),
    durations,
    medianDuration: medianOf(durations.map(({ milliseconds }) => milliseconds)),
  }
}

function durationOf<Story>({ story, rounds, settled }: Told<Story>) {
  const started = rounds.flatMap((round) => round.started ?? [])
  if (settled === undefined || started.length === 0) return []
  const milliseconds = settled - Math.min(...started)
  return milliseconds > 0 && milliseconds <= longest ? [{ story, milliseconds }] : []
}

/** Numbers by size, then the others as they come in their decks. */
function matrixOf<Story>(settled: readonly Told<Story>[]): Column<Story>[] {
  const columns: { card: Card; place: number; stories: Story[] }[] = []
  for (const { story, rounds, estimate } of settled) {
    if (!estimate) continue
    const column = columns.find(({ card }) => isSameCard(card, estimate))
    if (column) column.stories.push(story)
    else {
      const cards = rounds.at(-1)?.record.cards ?? []
      const place = cards.findIndex((card) => isSameCard(card, estimate))
      columns.push({ card: estimate, place, stories: [story] })
    }
  }
  const rank = ({ number }: Card) => number ?? Number.POSITIVE_INFINITY
  return columns
    .sort((a, b) => {
      const [left, right] = [rank(a.card), rank(b.card)]
      return left === right ? a.place - b.place : left - right
    })
    .map(({ card, stories }) => ({ card, stories }))
}

function medianOf(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low, high] = [sorted[middle - 1], sorted[middle]]
  return sorted.length % 2 === 0 && low !== undefined && high !== undefined ? (low + high) / 2 : high
}
