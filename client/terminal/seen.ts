import type { ParticipantId, RoundId } from '../../shared/id.ts'
import type { SavedView, SessionView, StoryView, TableView } from '../session/session-view.ts'
import { plain } from './plain.ts'

/** What became of somebody's vote in a revealed round. */
export interface SeenVote {
  readonly state: 'counted' | 'sealed' | 'unopenable' | 'late' | 'void'
  /** The card's label; undefined when it is not open. */
  readonly card?: string
  readonly unsure?: true
}

export interface SeenPerson {
  readonly name: string
  readonly me: boolean
  readonly here: boolean
  readonly observer: boolean
}

export interface SeenTable {
  readonly round: RoundId
  readonly story: string
  /** The first round of a story is 1. */
  readonly number: number
  readonly cards: readonly string[]
  readonly voted: ReadonlySet<ParticipantId>
  /** The label of the own card. */
  readonly chosen: string | undefined
  readonly revealedBy: readonly ParticipantId[]
  /** Empty before the reveal. */
  readonly votes: ReadonlyMap<ParticipantId, SeenVote>
  readonly result: SeenResult | undefined
  /** One, or several that conflict. */
  readonly estimates: readonly string[]
}

export interface SeenResult {
  readonly consensus: boolean
  readonly median?: string
  readonly mean?: number
  readonly lowest?: string
  readonly highest?: string
}

/** All that is shown of a session, at one moment. */
export interface Seen {
  readonly session: string
  readonly relay: SavedView['relay']['state']
  readonly waiting: number
  readonly stories: number
  readonly estimated: number
  readonly people: ReadonlyMap<ParticipantId, SeenPerson>
  /** Whether this participant may still take a seat. */
  readonly mayTakeSeat: boolean
  readonly table: SeenTable | undefined
}

const { compare: inOrder } = new Intl.Collator('en', { numeric: true })

export function see(session: SessionView): Seen {
  const { table, saved, stories } = session
  const people = session.people
    .map(({ id, name, me, here, observer }) => ({ id, name: plain(name), me, here, observer }))
    .sort((a, b) => inOrder(a.name, b.name))
  return {
    session: plain(session.name ?? '') || 'Session',
    relay: saved.relay.state,
    waiting: saved.waiting,
    stories: stories.length,
    estimated: stories.filter(({ estimates }) => estimates.length === 1).length,
    mayTakeSeat: session.mayWrite && !session.me,
    people: new Map(people.map(({ id, ...person }) => [id, person])),
    table:
      table &&
      seeTable(
        table,
        people.map(({ id }) => id),
      ),
  }
}

/** "TIK-7 Search by key" */
export function storyName(story: Pick<StoryView, 'key' | 'title'> | undefined): string {
  if (!story) return 'a quick round'
  return [story.key, story.title].map(plain).filter(Boolean).join(' ') || 'a story without a title'
}

function seeTable(table: TableView, order: readonly ParticipantId[]): SeenTable {
  const { state, cards } = table
  const label = (card: number | undefined) =>
    plain((card === undefined ? undefined : cards[card]?.label) ?? '')
  return {
    round: table.round,
    story: storyName(table.story),
    number: table.earlier + 1,
    cards: cards.map((_, at) => label(at)),
    voted: state.phase === 'voting' ? state.voted : new Set(),
    chosen: table.chosen === undefined ? undefined : label(table.chosen),
    revealedBy: state.phase === 'voting' ? [] : state.revealedBy,
    votes: state.phase === 'voting' ? new Map() : votesIn(state.votes, order, label),
    result: table.tally && resultOf(table, label),
    estimates:
      state.phase === 'settled'
        ? [plain(state.estimate.card.label)]
        : state.phase === 'conflict'
          ? state.estimates.map(({ card }) => plain(card.label))
          : [],
  }
}

type Revealed = Exclude<TableView['state'], { phase: 'voting' }>

function votesIn(
  votes: Revealed['votes'],
  order: readonly ParticipantId[],
  label: (card: number) => string,
): Map<ParticipantId, SeenVote> {
  const seen = new Map<ParticipantId, SeenVote>()
  for (const voter of new Set([...order, ...votes.keys()])) {
    const vote = votes.get(voter)
    if (!vote) continue
    if (vote.state !== 'counted') seen.set(voter, { state: vote.state })
    else
      seen.set(voter, { state: 'counted', card: label(vote.card), ...(vote.unsure ? { unsure: true } : {}) })
  }
  return seen
}

function resultOf({ tally }: TableView, label: (card: number | undefined) => string): SeenResult | undefined {
  if (!tally?.lowest || !tally.highest) return undefined
  return {
    consensus: tally.consensus,
    ...(tally.median === undefined ? {} : { median: label(tally.median) }),
    ...(tally.mean === undefined ? {} : { mean: Math.round(tally.mean * 10) / 10 }),
    lowest: label(tally.lowest.card),
    highest: label(tally.highest.card),
  }
}
