import { setTimeout as wait } from 'node:timers/promises'
import type { Cursor, Position } from '../../shared/cursor.ts'
import type { SessionId } from '../../shared/id.ts'
import type { ConnectionId } from '../../shared/wire.ts'
import { checksumOf, markOf } from '../store/hash.ts'
import {
  type Appended,
  type Compaction,
  type Deleted,
  type EntryKind,
  entryKinds,
  type Refusal,
  type Store,
  type Unreachable,
} from '../store/store.ts'
import type { Bus, Delivered, Subscriber } from './bus.ts'

interface Session {
  readonly subscribers: Set<Subscriber>
  readonly present: Set<ConnectionId>
  /** The last sequence given. */
  sequence: number
  saved: Position | undefined
  appending: number
  /** Of changes that wait until it is open. */
  openingBytes: number
  state: { readonly log: 'opening'; readonly opened: Promise<void> } | { readonly log: 'kept' } | Failed
}

interface Failed {
  readonly log: 'failed'
  readonly reason: Refusal
  /** What the last attempt to recover found missing. */
  readonly compact?: Compaction
}

const kept = { log: 'kept' } as const
/** Of changes that wait until their sessions are open: of all sessions, and of one. */
const maxOpeningBytes = { inAll: 64 << 20, ofSession: 4 << 20 } as const
/** The author of what a store appends: every connection hears it. */
const nobody: ConnectionId = 0

/** The bus of a single process, in front of its store. */
export class LocalBus implements Bus {
  readonly #store: Store
  readonly #probeMs: number
  readonly #sessions = new Map<SessionId, Session>()
  readonly #failed = new Map<SessionId, Session>()
  #probing: NodeJS.Timeout | undefined
  #appending = 0
  #openingBytes = 0

  constructor(store: Store, probeMs = 1000) {
    this.#store = store
    this.#probeMs = probeMs
  }

  subscribe(id: SessionId, subscriber: Subscriber): () => void {
    const session = this.#sessions.get(id) ?? this.#open(id)
    session.subscribers.add(subscriber)
    if (session.saved) subscriber.saved(this.#at(session.saved))
    if (session.state.log === 'failed') subscriber.log('unreachable')
    return () => {
      session.subscribers.delete(subscriber)
      this.#release(id, session)
    }
  }

  append(id: SessionId, author: ConnectionId, envelope: Uint8Array): Promise<Delivered> {
    return this.#append(id, author, envelope, entryKinds.change)
  }

  async release(id: SessionId, round: Uint8Array, asker: Uint8Array): Promise<Delivered> {
    const state = this.#sessions.get(id)?.state
    if (state?.log === 'failed') return { outcome: 'refused', reason: state.reason }
    const release = await this.#store.release(id, round, asker)
    if (release.outcome !== 'released') return release
    return this.#append(id, nobody, release.body, entryKinds.released)
  }

  #append(id: SessionId, author: ConnectionId, envelope: Uint8Array, kind: EntryKind): Promise<Delivered> {
    const session = this.#sessions.get(id) ?? this.#open(id)
    const { state } = session
    if (state.log === 'opening') {
      if (!this.#mayWait(session, envelope.length)) {
        this.#fail(id, session, 'unreachable')
        return this.#append(id, author, envelope, kind)
      }
      this.#count(session, 1, envelope.length)
      return state.opened.then(() => {
        this.#count(session, -1, -envelope.length)
        return this.#append(id, author, envelope, kind)
      })
    }
    if (state.log === 'failed') {
      if (kind === entryKinds.change) {
        for (const subscriber of session.subscribers) subscriber.entry(author, undefined, envelope, kind)
      }
      return Promise.resolve({ outcome: 'refused', reason: state.reason, compact: state.compact })
    }
    const checksum = checksumOf(envelope)
    const previous = session.sequence
    const position = { sequence: previous + 1, mark: markOf(checksum) }
    session.sequence = position.sequence
    this.#count(session, 1)
    const at = this.#at(position)
    const tell = (at: Cursor | undefined) => {
      for (const subscriber of session.subscribers) subscriber.entry(author, at, envelope, kind)
    }
    if (kind === entryKinds.change) tell(at)
    const entry = { sequence: position.sequence, previous, checksum, kind, envelope }
    return this.#store.append(id, entry).then((appended) => {
      this.#count(session, -1)
      // Keys leave only with an entry that is in the log for good: nobody has them that others will not have.
      if (kind === entryKinds.released) {
        if (appended.outcome === 'saved') tell(at)
        if (appended.outcome === 'duplicate') tell(undefined)
      }
      const delivered = this.#conclude(id, session, position, appended)
      this.#release(id, session)
      return delivered
    })
  }

  signal(id: SessionId, from: ConnectionId, to: ConnectionId, envelope: Uint8Array): void {
    for (const subscriber of this.#subscribers(id)) subscriber.signal(from, to, envelope)
  }

  join(id: SessionId, connection: ConnectionId): void {
    const session = this.#sessions.get(id) ?? this.#open(id)
    session.present.add(connection)
    for (const subscriber of session.subscribers) subscriber.joined(connection)
  }

  leave(id: SessionId, connection: ConnectionId): void {
    const session = this.#sessions.get(id)
    if (!session?.present.delete(connection)) return
    for (const subscriber of session.subscribers) subscriber.left(connection)
    this.#release(id, session)
  }

  present(id: SessionId): Iterable<ConnectionId> {
    return this.#sessions.get(id)?.present ?? []
  }

  doubt(id: SessionId): void {
    const session = this.#sessions.get(id)
    if (session) this.#fail(id, session, 'unreachable')
  }

  async delete(id: SessionId): Promise<Deleted | Unreachable> {
    const deleted = await this.#store.delete(id)
    const session = this.#sessions.get(id)
    if (session && deleted.outcome === 'deleted') sayDeleted(session)
    return deleted
  }

  async settled(): Promise<void> {
    while (this.#appending > 0) await wait(2)
  }

  close(): void {
    clearTimeout(this.#probing)
    this.#failed.clear()
  }

  #conclude(id: SessionId, session: Session, position: Position, appended: Appended): Delivered {
    switch (appended.outcome) {
      case 'saved':
        this.#save(session, position)
        return appended
      case 'duplicate':
        return { outcome: 'saved', compact: undefined }
      case 'refused':
        this.#fail(id, session, appended.reason)
        return appended
      case 'deleted':
        sayDeleted(session)
        return appended
    }
  }

  #open(id: SessionId): Session {
    const session: Session = {
      subscribers: new Set(),
      present: new Set(),
      sequence: 0,
      saved: undefined,
      appending: 0,
      openingBytes: 0,
      state: kept,
    }
    this.#sessions.set(id, session)
    const opened = this.#store.head(id).then((head) => {
      if (session.state.log === 'failed') return // too much waited: nothing is saved after what was refused
      session.state = kept
      if (head.outcome === 'refused') this.#fail(id, session, head.reason)
      else {
        session.sequence = head.sequence
        this.#save(session, head.saved)
      }
      this.#release(id, session)
    })
    session.state = { log: 'opening', opened }
    return session
  }

  /** A session with appends under way stays, even when nobody listens any more. */
  #count(session: Session, change: 1 | -1, openingBytes = 0): void {
    session.appending += change
    session.openingBytes += openingBytes
    this.#appending += change
    this.#openingBytes += openingBytes
  }

  #mayWait({ openingBytes }: Session, bytes: number): boolean {
    const { inAll, ofSession } = maxOpeningBytes
    return this.#openingBytes + bytes <= inAll && openingBytes + bytes <= ofSession
  }

  #save(session: Session, saved: Position | undefined): void {
    session.saved = saved
    if (saved) for (const subscriber of session.subscribers) subscriber.saved(this.#at(saved))
  }

  #at(position: Position): Cursor {
    return new Map<string, Position>().set(this.#store.origin, position)
  }

  /** Whoever stops late had a session that others began again since: theirs stays. */
  #release(id: SessionId, session: Session): void {
    const { subscribers, present, appending, state } = session
    if (subscribers.size > 0 || present.size > 0 || appending > 0 || state.log === 'opening') return
    if (this.#sessions.get(id) !== session) return
    this.#sessions.delete(id)
    this.#failed.delete(id)
  }

  #subscribers(id: SessionId): Iterable<Subscriber> {
    return this.#sessions.get(id)?.subscribers ?? []
  }

  #fail(id: SessionId, session: Session, reason: Refusal): void {
    if (session.state.log === 'failed') return
    session.state = { log: 'failed', reason }
    this.#failed.set(id, session)
    for (const subscriber of session.subscribers) subscriber.log('unreachable')
    this.#probing ??= setTimeout(() => void this.#probe(), this.#probeMs).unref()
  }

  /** Appends are not tried while a session has failed; this finds out when they would work again. */
  async #probe(): Promise<void> {
    const { outcome } = await this.#store.check()
    if (outcome === 'ready') {
      await Promise.all([...this.#failed].map(([id, session]) => this.#recover(id, session)))
    }
    this.#probing =
      this.#failed.size > 0 ? setTimeout(() => void this.#probe(), this.#probeMs).unref() : undefined
  }

  async #recover(id: SessionId, session: Session): Promise<void> {
    if (session.appending > 0) return
    const head = await this.#store.head(id)
    if (head.outcome === 'refused' || this.#failed.get(id) !== session) return
    if (head.overQuota) {
      session.state = { log: 'failed', reason: 'quota', compact: head.overQuota }
      return
    }
    session.sequence = head.sequence
    session.state = kept
    this.#failed.delete(id)
    this.#save(session, head.saved)
    for (const subscriber of session.subscribers) subscriber.log('kept')
    this.#release(id, session)
  }
}

/** Who hears it usually stops listening. */
function sayDeleted({ subscribers }: Session): void {
  for (const subscriber of [...subscribers]) subscriber.deleted()
}
