import type { ParticipantId } from '../../shared/id.ts'
import type { Person, SessionView, TableView } from '../session/session-view.ts'
import { t } from '../words/words.svelte.ts'

/** What lies in front of somebody. */
export type Mark = 'nothing' | 'down' | 'counted' | 'sealed' | 'late' | 'void'

export interface Seat {
  /** Stays the same from before this device's participant has a name until they leave. */
  readonly key: string
  /** Undefined for this device's participant before they have a name. */
  readonly person?: Person
  readonly name: string
  readonly me: boolean
  readonly here: boolean
  readonly mark: Mark
  readonly label?: string
  readonly unsure?: boolean
  /** After a reveal with a spread: an end of it. */
  readonly end?: 'lowest' | 'highest' | undefined
  /** Shown where only facilitators may decide. */
  readonly chair?: 'facilitator' | 'tookOver'
}

/** Who sits at the table: everybody here and everybody who voted, with this device's participant first. */
export function seatsOf(session: SessionView, table: TableView): readonly Seat[] {
  const seats = session.people
    .filter(
      (person) =>
        !person.observer && (person.here || person.me || markOf(table, person.id).mark !== 'nothing'),
    )
    .map((person) => seatOf(session, table, person))
  const mine = seats.filter((seat) => seat.me)
  if (mine.length === 0 && !session.me && session.mayWrite) mine.push(ownEmptySeat)
  return [...mine, ...seats.filter((seat) => !seat.me)]
}

/** How many of those who sit there have voted. Who was hidden, or just watches by now, has no seat, and may have a vote all the same. */
export function votedAtTable(session: SessionView, voted: ReadonlySet<ParticipantId>): number {
  const seatless = [...session.hidden, ...session.people.filter(({ observer }) => observer)]
  return voted.size - seatless.filter(({ id }) => voted.has(id)).length
}

/** Everybody who could still vote and whom a reveal would leave out. */
export function missing(session: SessionView, voted: ReadonlySet<ParticipantId>): readonly Person[] {
  return session.people.filter((person) => person.here && !person.observer && !voted.has(person.id))
}

/** The facilitators who are here, or all when none is. */
export function facilitators(session: SessionView): readonly Person[] {
  const all = session.people.filter((person) => person.facilitator)
  const here = all.filter((person) => person.here)
  return here.length > 0 ? here : all
}

export function nameOf(session: SessionView, id: ParticipantId): string {
  const is = (person: Person) => person.id === id
  const known = session.people.find(is) ?? session.hidden.find(is)
  return known?.name || t('name.unknown')
}

const ownEmptySeat: Seat = { key: 'me', name: '', me: true, here: true, mark: 'nothing' }

export function seatOf({ rules }: SessionView, table: TableView, person: Person): Seat {
  const { id, name, me, here } = person
  const chair = person.tookOver ? 'tookOver' : 'facilitator'
  return {
    key: me ? 'me' : id,
    person,
    name,
    me,
    here,
    ...markOf(table, id),
    ...(me && table.unsure && table.state.phase === 'voting' && { unsure: true }),
    ...(rules.who === 'facilitators' && person.facilitator && { chair }),
  }
}

function markOf(table: TableView, id: ParticipantId): Pick<Seat, 'mark' | 'label' | 'unsure' | 'end'> {
  if (table.state.phase === 'voting') return { mark: table.state.voted.has(id) ? 'down' : 'nothing' }
  const vote = table.state.votes.get(id)
  if (!vote) return { mark: 'nothing' }
  if (vote.state === 'unopenable') return { mark: 'void' }
  if (vote.state !== 'counted') return { mark: vote.state }
  const label = table.cards[vote.card]?.label
  return label === undefined
    ? { mark: 'void' }
    : { mark: 'counted', label, unsure: vote.unsure, end: endOf(table, vote.card) }
}

function endOf({ tally }: TableView, card: number): Seat['end'] {
  if (!tally?.spread) return undefined
  if (card === tally.lowest?.card) return 'lowest'
  return card === tally.highest?.card ? 'highest' : undefined
}
