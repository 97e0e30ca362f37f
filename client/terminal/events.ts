import type { ParticipantId } from '../../shared/id.ts'
import type { Seen, SeenPerson, SeenResult, SeenTable, SeenVote } from './seen.ts'

export type NamedVote = SeenVote & { readonly name: string }

/** What happens in a session, as it is told to people and programs. */
export type SessionEvent =
  | { readonly event: 'session'; readonly name: string; readonly stories: number; readonly you?: string }
  | { readonly event: 'relay'; readonly state: Seen['relay'] }
  | { readonly event: 'joined' | 'left'; readonly name: string }
  | { readonly event: 'stories'; readonly stories: number; readonly estimated: number }
  /** A round is on the table. */
  | {
      readonly event: 'round'
      readonly story: string
      readonly number: number
      readonly cards: readonly string[]
    }
  | { readonly event: 'voted' | 'tookBack'; readonly name: string }
  /** The own card. */
  | { readonly event: 'chosen'; readonly card: string }
  | {
      readonly event: 'revealed'
      readonly story: string
      readonly by: readonly string[]
      readonly votes: readonly NamedVote[]
    }
  /** After the reveal: a card opened, or was admitted, or came late. */
  | ({ readonly event: 'vote' } & NamedVote)
  /** All cards are open. */
  | ({ readonly event: 'result'; readonly story: string } & SeenResult)
  | { readonly event: 'estimate'; readonly story: string; readonly card: string }
  | { readonly event: 'conflict'; readonly story: string; readonly cards: readonly string[] }

/** `before` is undefined for whoever sees the session for the first time. */
export function eventsBetween(before: Seen | undefined, now: Seen): SessionEvent[] {
  const events: SessionEvent[] = []
  const me = [...now.people.values()].find((person) => person.me)?.name
  const wasMe = before && [...before.people.values()].find((person) => person.me)?.name
  if (!before || before.session !== now.session || wasMe !== me) {
    events.push({ event: 'session', name: now.session, stories: now.stories, ...(me ? { you: me } : {}) })
  }
  if (before && before.relay !== now.relay) events.push({ event: 'relay', state: now.relay })
  for (const [id, { name, here, me }] of now.people) {
    const wasHere = before?.people.get(id)?.here ?? false
    if (!me && here !== wasHere) events.push({ event: here ? 'joined' : 'left', name })
  }
  const counted = before && (before.stories !== now.stories || before.estimated !== now.estimated)
  if (counted) events.push({ event: 'stories', stories: now.stories, estimated: now.estimated })
  if (now.table) events.push(...eventsAt(before?.table, now.table, now.people))
  return events
}

function eventsAt(
  earlier: SeenTable | undefined,
  now: SeenTable,
  people: ReadonlyMap<ParticipantId, SeenPerson>,
): SessionEvent[] {
  const events: SessionEvent[] = []
  const before = earlier?.round === now.round ? earlier : undefined
  const nameOf = (id: ParticipantId) => people.get(id)?.name ?? 'somebody'
  const { story, number, cards } = now
  if (!before || before.story !== story) events.push({ event: 'round', story, number, cards })
  if (now.revealedBy.length === 0) {
    for (const id of now.voted) {
      if (!before?.voted.has(id)) events.push({ event: 'voted', name: nameOf(id) })
    }
    for (const id of before?.voted ?? []) {
      if (!now.voted.has(id)) events.push({ event: 'tookBack', name: nameOf(id) })
    }
    if (now.chosen && now.chosen !== before?.chosen) events.push({ event: 'chosen', card: now.chosen })
  } else {
    const votes = [...now.votes].map(([id, vote]): NamedVote => ({ name: nameOf(id), ...vote }))
    if (!before || before.revealedBy.length === 0) {
      const by = now.revealedBy.map(nameOf)
      events.push({ event: 'revealed', story, by, votes })
    } else {
      for (const [id, vote] of now.votes) {
        const was = before.votes.get(id)
        if (was?.state !== vote.state || was.card !== vote.card) {
          events.push({ event: 'vote', name: nameOf(id), ...vote })
        }
      }
    }
  }
  const result = resultOf(now)
  if (result && JSON.stringify(result) !== JSON.stringify(resultOf(before))) {
    events.push({ event: 'result', story, ...result })
  }
  if (now.estimates.join('\n') !== (before?.estimates ?? []).join('\n')) {
    const [card, second] = now.estimates
    if (card !== undefined && second === undefined) events.push({ event: 'estimate', story, card })
    if (second !== undefined) events.push({ event: 'conflict', story, cards: now.estimates })
  }
  return events
}

/** Undefined while a card is to be opened. */
function resultOf(table: SeenTable | undefined): SeenResult | undefined {
  const isComplete = table && [...table.votes.values()].every(({ state }) => state !== 'sealed')
  return isComplete ? table.result : undefined
}
