import type { ParticipantId } from '../../shared/id.ts'
import type { Person, SessionView, TableView } from '../session-view.ts'
import { words } from '../words.ts'

/** What lies in front of somebody. */
export type Mark = 'nothing' | 'down' | 'counted' | 'sealed' | 'late' | 'void'

export interface Seat {
  /** Stays the same from before this device's participant has a name until they leave. */
  readonly key: string
  readonly name: string
  readonly me: boolean
  readonly here: boolean
  readonly mark: Mark
  readonly label?: string
  readonly unsure?: boolean
}

/** Who sits at the table: everybody here and everybody who voted, with this device's participant first. */
export function seatsOf(session: SessionView, table: TableView): readonly Seat[] {
  const seats = session.people
    .filter(
      (person) =>
        !person.observer && (person.here || person.me || markOf(table, person.id).mark !== 'nothing'),
    )
    .map((person) => seatOf(table, person))
  const mine = seats.filter((seat) => seat.me)
  if (mine.length === 0 && !session.me && session.mayWrite) mine.push(ownEmptySeat)
  return [...mine, ...seats.filter((seat) => !seat.me)]
}

/** Everybody who could still vote and whom a reveal would leave out. */
export function missing(session: SessionView, voted: ReadonlySet<ParticipantId>): readonly Person[] {
  return session.people.filter((person) => person.here && !person.observer && !voted.has(person.id))
}

export function nameOf(session: SessionView, id: ParticipantId): string {
  return session.people.find((person) => person.id === id)?.name || words.name.unknown
}

const ownEmptySeat: Seat = { key: 'me', name: '', me: true, here: true, mark: 'nothing' }

function seatOf(table: TableView, person: Person): Seat {
  const { id, name, me, here } = person
  return { key: me ? 'me' : id, name, me, here, ...markOf(table, id) }
}

function markOf(table: TableView, id: ParticipantId): Pick<Seat, 'mark' | 'label' | 'unsure'> {
  if (table.state.phase === 'voting') return { mark: table.state.voted.has(id) ? 'down' : 'nothing' }
  const vote = table.state.votes.get(id)
  if (!vote) return { mark: 'nothing' }
  if (vote.state !== 'counted') return { mark: vote.state }
  const label = table.cards[vote.card]?.label
  return label === undefined ? { mark: 'void' } : { mark: 'counted', label, unsure: vote.unsure }
}
