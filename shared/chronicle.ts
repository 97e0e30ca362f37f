/** What was: every round of a session with its votes, and how they moved from one round of a story to the next. */
import type { Card } from './deck.ts'
import type { ParticipantId, RecordId } from './id.ts'
import type { Ledger, Topic } from './ledger.ts'
import type { RecordOf } from './record.ts'
import { type RoundState, votesOf } from './round.ts'
import { type Tally, tally } from './tally.ts'

export interface PastRound {
  readonly record: RecordOf<'round'>
  readonly state: RoundState
  /** Undefined before the reveal. */
  readonly tally: Tally<ParticipantId> | undefined
  /** Taken back, so nobody sees it on the table any more. */
  readonly withdrawn: boolean
  /** By their authors' clocks, in milliseconds; undefined when nobody noted it, or the clock was none. */
  readonly started: number | undefined
  readonly revealed: number | undefined
  /** Since the last revealed round of the same story; undefined for the first one. */
  readonly movement: Movement | undefined
}

export interface Movement {
  /** Of those whose votes counted in both rounds. */
  readonly moves: readonly Move[]
  readonly median: readonly [from: Card | undefined, to: Card | undefined]
  /** 0 to 1, see `Tally`; undefined for a round in which only special cards were chosen, or none. */
  readonly agreement: readonly [from: number | undefined, to: number | undefined]
}

export interface Move {
  readonly voter: ParticipantId
  readonly from: Card
  readonly to: Card
  /** Of the deck, up or down; undefined when the two rounds' cards differ in more than the special ones, or one card is special. */
  readonly steps: number | undefined
}

export type Times = ReadonlyMap<RecordId, number>

/** The latest time that a `Date` can show. */
const lastTime = 8.64e15

/**
 * The first round first. Verifies what it reads: that is a story's worth, not a session's. Twenty votes take long enough, so the
 * caller may pause after each round.
 */
export function* tellRounds(ledger: Ledger, topic: Topic, times: Times): Generator<PastRound, void> {
  let last: PastRound | undefined
  for (const record of ledger.allRounds(topic).reverse()) {
    const round = pastRound(ledger, record, times)
    const told = last && round.tally ? { ...round, movement: movement(last, round) } : round
    // Quick rounds are about something else each time.
    if (told.tally && topic !== 'quick') last = told
    yield told
  }
}

function pastRound(ledger: Ledger, record: RecordOf<'round'>, times: Times): PastRound {
  const state = ledger.resolve(record)
  const reveals = ledger.of(record.id, 'reveal').map(({ id }) => id)
  return {
    record,
    state,
    tally: state.phase === 'voting' ? undefined : tally(record.cards, votesOf(state)),
    withdrawn: ledger.withdrawn(record.id),
    started: earliest([record.id], times),
    revealed: earliest(reveals, times),
    movement: undefined,
  }
}

function earliest(records: readonly RecordId[], times: Times): number | undefined {
  const noted = records.flatMap((id) => times.get(id) ?? []).filter((time) => time > 0 && time <= lastTime)
  return noted.length > 0 ? Math.min(...noted) : undefined
}

function movement(before: PastRound, after: PastRound): Movement {
  const [oldCards, newCards] = [before.record.cards, after.record.cards]
  const [oldSteps, newSteps] = [stepsOf(oldCards), stepsOf(newCards)]
  const comparable = sameOrder(oldCards, newCards)
  const earlier = new Map(votesOf(before.state).map(({ voter, card }) => [voter, card]))
  const moves = votesOf(after.state).flatMap(({ voter, card }): Move[] => {
    const was = earlier.get(voter)
    const [from, to] = [was === undefined ? undefined : oldCards[was], newCards[card]]
    if (was === undefined || !from || !to) return []
    const [low, high] = [oldSteps[was], newSteps[card]]
    const steps = comparable && low !== undefined && high !== undefined ? high - low : undefined
    return [{ voter, from, to, steps }]
  })
  return {
    moves,
    median: [medianOf(before), medianOf(after)],
    agreement: [before.tally?.agreement, after.tally?.agreement],
  }
}

/** For each card its place among those that are not special, which may stand anywhere between them. */
function stepsOf(cards: readonly Card[]): (number | undefined)[] {
  let step = 0
  return cards.map((card) => (card.special ? undefined : step++))
}

function sameOrder(a: readonly Card[], b: readonly Card[]): boolean {
  const labels = (cards: readonly Card[]) =>
    JSON.stringify(cards.filter((card) => !card.special).map(({ label }) => label))
  return labels(a) === labels(b)
}

function medianOf({ record, tally }: PastRound): Card | undefined {
  return tally?.median === undefined ? undefined : record.cards[tally.median]
}
