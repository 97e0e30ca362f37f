import type { Cursor, Position } from '../../shared/cursor.ts'
import type { Deposit } from '../../shared/escrow.ts'
import type { SessionId } from '../../shared/id.ts'
import type { UnsavedReason } from '../../shared/wire.ts'

/** Why a store did not keep something. `unreachable` may pass by itself, `full` is the disk, `quota` the session. */
export type Refusal = Exclude<UnsavedReason, 'observer' | 'closed'>

/** An entry is a client's change, or keys that a store released. */
export const entryKinds = { change: 0, released: 1 } as const
export type EntryKind = (typeof entryKinds)[keyof typeof entryKinds]

/** Of entries that a stream has numbered and that come in its order, whatever lies between them. */
export const inStreamOrder = -1

export interface NewEntry {
  readonly sequence: number
  /**
   * The sequence given before this one in the same session, 0 for the first. An entry whose predecessor was refused is
   * refused too, so that no cursor ever stands behind a gap. Or `inStreamOrder`.
   */
  readonly previous: number
  readonly checksum: Uint8Array
  readonly kind: EntryKind
  readonly envelope: Uint8Array
}

export interface Entry {
  readonly position: Position
  readonly kind: EntryKind
  readonly envelope: Uint8Array
}

export interface Snapshot {
  readonly id: Uint8Array
  readonly covers: Position
  readonly envelope: Uint8Array
}

/** The log has grown long: a snapshot that replaces this one would be welcome. */
export interface Compaction {
  readonly replaces: Uint8Array | undefined
}

export type Appended =
  | { readonly outcome: 'saved'; readonly compact: Compaction | undefined }
  /** The log has this very envelope already, at another sequence. */
  | { readonly outcome: 'duplicate'; readonly of: number }
  | { readonly outcome: 'refused'; readonly reason: Refusal }
  | Deleted

/** A part of the log. The reader continues with the cursor of `upTo` while there is `more`. */
export interface Page {
  readonly outcome: 'page'
  /** False when the cursor was not a place in this log: then the page starts from the beginning. */
  readonly resumed: boolean
  readonly snapshot: Snapshot | undefined
  readonly entries: readonly Entry[]
  readonly upTo: Position | undefined
  readonly more: boolean
}

export interface Head {
  readonly outcome: 'head'
  /** The last sequence given, 0 in an empty log. */
  readonly sequence: number
  /** The last entry that is in the log. */
  readonly saved: Position | undefined
  /** The session has used up its bytes, and takes changes again after snapshots, the first of which replaces this one. */
  readonly overQuota: Compaction | undefined
}

/** Deleted by its owner: the store keeps nothing of it and takes nothing more. */
export interface Deleted {
  readonly outcome: 'deleted'
}

export interface Unreachable {
  readonly outcome: 'refused'
  readonly reason: Refusal
}

export const unreachable: Unreachable = { outcome: 'refused', reason: 'unreachable' }

/**
 * `outdated`: it does not replace the current snapshot, covers no more than that one, or a place not in the log. Never refused
 * for the quota, because it is the way back under it.
 */
export type PutSnapshot = { readonly outcome: 'kept' | 'outdated' } | Unreachable

/** `closed`: the round was released, or another key has this name. */
export type Deposited = { readonly outcome: 'deposited' | 'closed' } | Deleted | Unreachable

/** What is to be appended: the same for whoever asks later. */
export type Release = { readonly outcome: 'released'; readonly body: Uint8Array } | Deleted | Unreachable

/**
 * Keeps the logs of sessions. Whatever is asked first is done first, but for appends, which may be done before anything else that waits;
 * so a read sees every append asked before it.
 */
export interface Store {
  /** Names this store's sequences in cursors. */
  readonly origin: string
  append(session: SessionId, entry: NewEntry): Promise<Appended>
  /** What the cursor does not cover. Generation 1 starts from the snapshot before the current one. */
  since(session: SessionId, cursor: Cursor, generation: number): Promise<Page | Deleted | Unreachable>
  putSnapshot(session: SessionId, snapshot: NewSnapshot): Promise<PutSnapshot>
  head(session: SessionId): Promise<Head | Unreachable>
  /** Keeps the key of a seal's box until its round is released. The same again is kept, too. */
  deposit(session: SessionId, deposit: Deposit): Promise<Deposited>
  /**
   * Takes no more keys for this round, and gives those it has. Whoever calls it appends them. The salt is random, unless
   * several stores have to come to the same.
   */
  release(session: SessionId, round: Uint8Array, asker: Uint8Array, salt?: Uint8Array): Promise<Release>
  /** Leaves only its id, for as many days as unused sessions are kept, so that it stays deleted. May be asked again. */
  delete(session: SessionId): Promise<Deleted | Unreachable>
  /** Commits something tiny. */
  check(): Promise<{ readonly outcome: 'ready' } | Unreachable>
  close(): Promise<void>
}

/** The next page of each log that holds something of a session. */
export interface Pages {
  readonly outcome: 'pages'
  /** False when a place of the cursor was not in its log: then every page starts from the beginning. */
  readonly resumed: boolean
  /** By origin. */
  readonly of: ReadonlyMap<string, Page>
}

/** What rooms need of stores. */
export interface Archive extends Pick<Store, 'putSnapshot' | 'deposit'> {
  since(session: SessionId, cursor: Cursor, generation: number): Promise<Pages | Deleted | Unreachable>
}

/** Of one store, which has one log for each session. */
export function archiveOf(store: Pick<Store, 'origin' | 'since' | 'putSnapshot' | 'deposit'>): Archive {
  return {
    putSnapshot: (...snapshot) => store.putSnapshot(...snapshot),
    deposit: (...deposit) => store.deposit(...deposit),
    since: async (...question) => {
      const page = await store.since(...question)
      if (page.outcome !== 'page') return page
      return { outcome: 'pages', resumed: page.resumed, of: new Map([[store.origin, page]]) }
    },
  }
}

export interface NewSnapshot {
  readonly covers: Cursor
  readonly replaces: Uint8Array | undefined
  readonly envelope: Uint8Array
}
