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
  /** By their authors' clocks, in milliseconds; undefined when nobody noted it. */
  readonly started: number | undefined
  readonly revealed: number | undefined
  /** Since the last revealed round of the same story; undefined for the first one. */
  readonly movement: Movement | undefined
}

export interface Movement {
  /** Of those who voted in both, in steps of the deck: how far, and up or down. */
  readonly moves: readonly Move[]
  readonly median: readonly [from: Card | undefined, to: Card | undefined]
  /** 0 to 1, see `Tally`. */
  readonly agreement: readonly [from: number, to: number]
}

export interface Move {
  readonly voter: ParticipantId
  readonly from: Card
  readonly to: Card
  /** Undefined when the two decks differ, or one card is special. */
  readonly steps: number | undefined
}

export type Times = ReadonlyMap<RecordId, number>

/** The first round first. Verifies what it reads: that is a story's worth, not a session's. */
export function chronicleOf(ledger: Ledger, topic: Topic, times: Times): PastRound[] {
  let last: PastRound | undefined
  return ledger
    .allRounds(topic)
    .reverse()
    .map((record) => {
      const round = pastRound(ledger, record, times, last)
      if (round.tally && topic !== 'quick') last = round
      return round
    })
}

function pastRound(
  ledger: Ledger,
  record: RecordOf<'round'>,
  times: Times,
  last: PastRound | undefined,
): PastRound {
  const state = ledger.resolve(record)
  const counted = state.phase === 'voting' ? undefined : tally(record.cards, votesOf(state))
  const reveals = ledger.of(record.id, 'reveal').flatMap(({ id }) => times.get(id) ?? [])
  const round = {
    record,
    state,
    tally: counted,
    withdrawn: ledger.withdrawn(record.id),
    started: times.get(record.id),
    revealed: reveals.length > 0 ? Math.min(...reveals) : undefined,
  }
  return { ...round, movement: last && counted ? movement(last, { ...round, tally: counted }) : undefined }
}

function movement(before: PastRound, after: Omit<PastRound, 'movement'>): Movement {
  const chosen = ({ record, state }: Omit<PastRound, 'movement'>) =>
    new Map(votesOf(state).flatMap(({ voter, card }) => (record.cards[card] ? [[voter, card] as const] : [])))
  const [earlier, later] = [chosen(before), chosen(after)]
  const [oldCards, newCards] = [before.record.cards, after.record.cards]
  const sameDeck = JSON.stringify(oldCards) === JSON.stringify(newCards)
  const moves = [...later].flatMap(([voter, card]): Move[] => {
    const was = earlier.get(voter)
    const [from, to] = [was === undefined ? undefined : oldCards[was], newCards[card]]
    if (was === undefined || !from || !to) return []
    const steps = sameDeck && !from.special && !to.special ? card - was : undefined
    return [{ voter, from, to, steps }]
  })
  const median = ({ record, tally }: Omit<PastRound, 'movement'>) =>
    tally?.median === undefined ? undefined : record.cards[tally.median]
  return {
    moves,
    median: [median(before), median(after)],
    agreement: [before.tally?.agreement ?? 0, after.tally?.agreement ?? 0],
  }
}
