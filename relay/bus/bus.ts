import type { Cursor } from '../../shared/cursor.ts'
import type { SessionId } from '../../shared/id.ts'
import type { ConnectionId } from '../../shared/wire.ts'
import type { Compaction, Deleted, EntryKind, Refusal, Unreachable } from '../store/store.ts'

/** What a room hears of its session, from its own connections and from everywhere else. */
export interface Subscriber {
  /** Its place in the log of one origin; undefined while the log cannot be reached: then nothing keeps the entry. */
  entry(author: ConnectionId, at: Cursor | undefined, envelope: Uint8Array, kind: EntryKind): void
  /** `to` 0 means everybody. */
  signal(from: ConnectionId, to: ConnectionId, envelope: Uint8Array): void
  joined(connection: ConnectionId): void
  left(connection: ConnectionId): void
  /** Everything up to here is committed, of the origins it names. Comes after the entries it speaks of. */
  saved(cursor: Cursor): void
  /** Everything up to here is committed in another region, too. */
  savedElsewhere(cursor: Cursor): void
  /** `kept` comes only after `unreachable`. What came between has to be fetched or sent again. */
  log(state: 'kept' | 'unreachable'): void
  /** The owner deleted the session: nothing of it is kept any more, anywhere. */
  deleted(): void
}

export type Delivered =
  | { readonly outcome: 'saved'; readonly compact: Compaction | undefined }
  /** Over the quota a snapshot would help. */
  | { readonly outcome: 'refused'; readonly reason: Refusal; readonly compact?: Compaction | undefined }
  /** Every subscriber has heard it, too. */
  | Deleted

/**
 * How relays and stores tell each other that a log grew. It numbers the entries of a session, brings them to every
 * subscriber at once and to a store, and says when they are committed.
 */
export interface Bus {
  /** Returns the stop. */
  subscribe(session: SessionId, subscriber: Subscriber): () => void
  /** Subscribers hear of the entry before it is committed, the returned promise waits for that. */
  append(session: SessionId, author: ConnectionId, envelope: Uint8Array): Promise<Delivered>
  /** Has a store release a round's keys and appends them, which every subscriber hears. */
  release(session: SessionId, round: Uint8Array, asker: Uint8Array): Promise<Delivered>
  signal(session: SessionId, from: ConnectionId, to: ConnectionId, envelope: Uint8Array): void
  /** Announces a connection to every subscriber. */
  join(session: SessionId, connection: ConnectionId): void
  /** Announces that it left, if it was announced. */
  leave(session: SessionId, connection: ConnectionId): void
  /** Everybody announced, as far as is known here; who is missing is told by `joined`. */
  present(session: SessionId): Iterable<ConnectionId>
  /** Says that the log could not be read; subscribers hear `kept` once it can be again. */
  doubt(session: SessionId): void
  /** Deletes the session in every store, then says so to every subscriber. */
  delete(session: SessionId): Promise<Deleted | Unreachable>
  /** Resolves when everything appended so far has been answered. */
  settled(): Promise<void>
  close(): void
}
