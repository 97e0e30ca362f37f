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
  /** Of the stories that had one, how many on average; undefined without any. */
  readonly roundsPerStory: number | undefined
  /** 0 to 1: the share of revealed rounds in which all chose the same card; undefined without any. */
  readonly consensus: number | undefined
  /** Which stories got which card, in the order of the cards. */
  readonly matrix: readonly Column<Story>[]
  /** 0 to 1 for each revealed round, the earliest first; `mean` is that of this one and the four before. */
  readonly agreement: readonly { readonly story: Story; readonly share: number; readonly mean: number }[]
  /** Milliseconds from the first round to the estimate, of stories where that is known. */
  readonly durations: readonly { readonly story: Story; readonly milliseconds: number }[]
  readonly medianDuration: number | undefined
}

/** Longer ones were left open over night, or a clock is wrong. */
const longest = 24 * 60 * 60 * 1000
const meanOver = 5

export function statisticsOf<Story>(told: readonly Told<Story>[]): Statistics<Story> {
  const settled = told.filter(({ estimate }) => estimate)
  const numbers = settled.flatMap(({ estimate }) => estimate?.number ?? [])
  const revealed = told.flatMap(({ story, rounds }) =>
    rounds.flatMap((round) => (round.tally ? [{ story, round, tally: round.tally }] : [])),
  )
  const voted = told.filter(({ rounds }) => rounds.some(({ tally }) => tally))
  const judged = revealed.filter(({ tally }) => tally.agreement !== undefined)
  const durations = told.flatMap(durationOf)
  return {
    stories: told.length,
    settled: settled.length,
    sum: sumOf(numbers),
    withoutNumber: settled.length - numbers.length,
    rounds: revealed.length,
    roundsPerStory: voted.length > 0 ? revealed.length / voted.length : undefined,
    consensus:
      judged.length > 0 ? judged.filter(({ tally }) => tally.consensus).length / judged.length : undefined,
    matrix: matrixOf(settled),
    agreement: withMeans(
      [...judged]
        .sort((a, b) => timeOf(a.round) - timeOf(b.round))
        .map(({ story, tally }) => ({ story, share: tally.agreement ?? 0 })),
    ),
    durations,
    medianDuration: medianOf(durations.map(({ milliseconds }) => milliseconds)),
  }
}

/** Rounds nobody noted a time of come first. */
function timeOf({ revealed, started }: PastRound): number {
  return revealed ?? started ?? 0
}

function withMeans<Point extends { readonly share: number }>(points: readonly Point[]) {
  return points.map((point, at) => {
    const latest = points.slice(Math.max(0, at + 1 - meanOver), at + 1).map(({ share }) => share)
    return { ...point, mean: sumOf(latest) / latest.length }
  })
}

/** A round that was taken back is no start: it was a mistake. */
function durationOf<Story>({ story, rounds, settled }: Told<Story>) {
  const started = rounds.flatMap((round) => (round.withdrawn ? [] : (round.started ?? [])))
  if (settled === undefined || started.length === 0) return []
  const milliseconds = settled - Math.min(...started)
  return milliseconds > 0 && milliseconds <= longest ? [{ story, milliseconds }] : []
}

/** Numbers by size, then the others as they come in their decks. */
function matrixOf<Story>(settled: readonly Told<Story>[]): Column<Story>[] {
  const columns: { card: Card; place: number; stories: Story[] }[] = []
  for (const { story, rounds, estimate } of settled) {
    if (!estimate) continue
    const place = placeOf(estimate, rounds)
    const column = columns.find(({ card }) => isSameCard(card, estimate))
    if (column) {
      column.stories.push(story)
      column.place = Math.min(column.place, place)
    } else columns.push({ card: estimate, place, stories: [story] })
  }
  const rank = ({ number }: Card) => number ?? Number.MAX_VALUE
  return columns
    .sort(
      (a, b) => rank(a.card) - rank(b.card) || a.place - b.place || (a.card.label < b.card.label ? -1 : 1),
    )
    .map(({ card, stories }) => ({ card, stories }))
}

/** In the cards of a round that has it: the deck may have changed since. */
function placeOf(estimate: Card, rounds: readonly PastRound[]): number {
  const places = rounds.map(({ record }) => record.cards.findIndex((card) => isSameCard(card, estimate)))
  return places.findLast((place) => place >= 0) ?? Number.MAX_SAFE_INTEGER
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function medianOf(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low, high] = [sorted[middle - 1], sorted[middle]]
  return sorted.length % 2 === 0 && low !== undefined && high !== undefined ? (low + high) / 2 : high
}
