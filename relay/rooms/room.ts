import { type Cursor, covers, type Position } from '../../shared/cursor.ts'
import { type Asker, type Deposit, encodeAsker } from '../../shared/escrow.ts'
import type { SessionId } from '../../shared/id.ts'
import { type ConnectionId, encodeFromRelay } from '../../shared/wire.ts'
import type { Bus, Delivered, Subscriber } from '../bus/bus.ts'
import type { Connection } from '../connections/connection.ts'
import { type Rate, spend, writeCost } from '../connections/limits.ts'
import type { Archive, Compaction, Deleted, EntryKind, Unreachable } from '../store/store.ts'
import { encodeEntry } from './frames.ts'
import { type Asked, SharedReading } from './shared-reading.ts'

/** One client at a time is asked for a snapshot; another one when nothing came for so long. */
const askAgainMs = 10_000
const noPlace: Cursor = new Map()

/** The connections open for one session on this relay. */
export class Room implements Subscriber {
  readonly session: SessionId
  readonly #bus: Bus
  readonly #store: Archive
  readonly #connections = new Map<ConnectionId, Connection>()
  readonly #unsubscribe: () => void
  readonly #emptied: () => void
  readonly #reading: SharedReading
  readonly #saved = new Map<string, Position>()
  readonly #elsewhere = new Map<string, Position>()
  #log: 'kept' | 'unreachable' = 'kept'
  #askedAt = Number.NEGATIVE_INFINITY
  #earnedAt = 0
  /** Bytes that `#passedOnAt` does not know yet. */
  #passedOn = 0
  #passedOnAt = 0
  /** All three, 96 bytes; whoever entered has proven that they are the session's. */
  publicKeys = new Uint8Array()
  #isPutting = false
  #deleting: Promise<Deleted | Unreachable> | undefined

  constructor(session: SessionId, bus: Bus, store: Archive, emptied: () => void, asked?: Asked) {
    this.session = session
    this.#bus = bus
    this.#store = store
    this.#emptied = emptied
    this.#reading = new SharedReading((...question) => store.since(session, ...question), asked)
    this.#unsubscribe = bus.subscribe(session, this)
  }

  get isReachable(): boolean {
    return this.#log === 'kept'
  }

  /** Everything up to here is committed: a view that goes on, not to be kept. */
  get savedCursor(): Cursor {
    return this.#saved
  }

  /** Everything up to here is committed in another region, too. Likewise a view. */
  get elsewhere(): Cursor {
    return this.#elsewhere
  }

  /** Everybody who was announced, here and on other relays. */
  get present(): Iterable<ConnectionId> {
    return this.#bus.present(this.session)
  }

  /** From here on the connection hears what happens, until it leaves. */
  enter(connection: Connection): void {
    this.#connections.set(connection.id, connection)
  }

  /** Tells everybody about a connection that has entered. */
  announce(connection: Connection): void {
    this.#bus.join(this.session, connection.id)
  }

  leave(connection: Connection): void {
    this.#connections.delete(connection.id)
    this.#bus.leave(this.session, connection.id)
    if (this.#connections.size > 0) return
    this.#unsubscribe()
    this.#emptied()
  }

  /** False when the session as a whole sends too fast. */
  spend(rate: Rate, now: number): boolean {
    const earnedAt = spend(this.#earnedAt, rate, now)
    if (earnedAt) this.#earnedAt = earnedAt
    return earnedAt !== undefined
  }

  /** By how many milliseconds another frame would come too early, for what was passed on so far: below 0 if it would not. */
  earliness({ perSecond, burst }: Rate, now: number): number {
    this.#passedOnAt = Math.max(this.#passedOnAt, now) + (this.#passedOn * 1000) / perSecond
    this.#passedOn = 0
    return this.#passedOnAt - now - (burst * 1000) / perSecond
  }

  async append(author: Connection, ref: number, envelope: Uint8Array): Promise<void> {
    this.#answer(author, ref, await this.#bus.append(this.session, author.id, envelope))
  }

  async deposit(author: Connection, ref: number, deposit: Deposit): Promise<void> {
    const deposited = await this.#store.deposit(this.session, deposit)
    switch (deposited.outcome) {
      case 'deposited':
        return author.saved(ref, this.savedCursor, undefined)
      case 'closed':
        return author.unsaved(ref, 'closed')
      case 'refused':
        return author.unsaved(ref, deposited.reason)
      case 'deleted':
        return author.close('deleted')
    }
  }

  async release(author: Connection, ref: number, round: Uint8Array, asker: Asker): Promise<void> {
    this.#answer(author, ref, await this.#bus.release(this.session, round, encodeAsker(asker)))
  }

  /** Once at a time, however often it is asked for: each deletion costs the store more than any other frame. */
  async delete(owner: Connection): Promise<void> {
    this.#deleting ??= this.#bus.delete(this.session).finally(() => {
      this.#deleting = undefined
    })
    const deleted = await this.#deleting
    if (deleted.outcome === 'refused') owner.unsaved(0, deleted.reason)
  }

  relay(from: Connection, to: ConnectionId, envelope: Uint8Array): void {
    this.#bus.signal(this.session, from.id, to, envelope)
  }

  async since(cursor: Cursor, generation: number) {
    const pages = await this.#reading.since(cursor, generation)
    if (pages.outcome === 'refused') this.#bus.doubt(this.session)
    return pages
  }

  /** One at a time: of several only the first could take the place of the current one, and they are large. */
  async putSnapshot(covers: Cursor, replaces: Uint8Array | undefined, envelope: Uint8Array): Promise<void> {
    if (this.#isPutting) return
    this.#isPutting = true
    const put = await this.#store.putSnapshot(this.session, { covers, replaces, envelope }).finally(() => {
      this.#isPutting = false
    })
    if (put.outcome === 'kept') this.#askedAt = Number.NEGATIVE_INFINITY
  }

  entry(author: ConnectionId, at: Cursor | undefined, envelope: Uint8Array, kind: EntryKind): void {
    this.#reading.outdate()
    if (this.#connections.size === 1 && this.#connections.has(author)) return
    this.#passOn(encodeEntry(at ?? noPlace, envelope, kind), author, at)
  }

  signal(from: ConnectionId, to: ConnectionId, envelope: Uint8Array): void {
    const frame = encodeFromRelay({ type: 'signal', from, envelope })
    if (to === 0) return this.#passOn(frame, from)
    this.#passedOn += frame.length + writeCost
    this.#connections.get(to)?.deliver(frame)
  }

  joined(connection: ConnectionId): void {
    this.#announce(encodeFromRelay({ type: 'joined', connection }), connection)
  }

  /** Told also to those who still read the log, after what was heard from whoever left: else that would stay with them. */
  left(connection: ConnectionId): void {
    this.#passOn(encodeFromRelay({ type: 'left', connection }), connection)
  }

  saved(cursor: Cursor): void {
    advance(this.#saved, cursor)
  }

  /** Once the other region has caught up, nobody waits for the next keepalive to hear it. */
  savedElsewhere(cursor: Cursor): void {
    advance(this.#elsewhere, cursor)
    if (!covers(this.#elsewhere, this.#saved)) return
    for (const connection of this.#connections.values()) connection.keepAlive()
  }

  /**
   * Those who send nothing are told, too, that nothing is kept. When the log is back, everybody starts again from their cursor,
   * and so sends and gets what was missed.
   */
  log(state: 'kept' | 'unreachable'): void {
    this.#reading.outdate()
    this.#log = state
    if (state === 'kept') for (const connection of [...this.#connections.values()]) connection.close('resume')
    else this.#announce(encodeFromRelay({ type: 'unsaved', ref: 0, reason: 'unreachable' }))
  }

  deleted(): void {
    this.#reading.outdate()
    for (const connection of [...this.#connections.values()]) connection.close('deleted')
  }

  #answer(author: Connection, ref: number, delivered: Delivered): void {
    if (delivered.outcome === 'deleted') return author.close('deleted')
    const compact = this.#compactNow(delivered.compact, author.now())
    if (delivered.outcome === 'saved') return author.saved(ref, this.savedCursor, compact)
    author.unsaved(ref, delivered.reason)
    // No append has this ref: it only asks.
    if (compact) author.saved(0, this.savedCursor, compact)
  }

  #passOn(frame: Uint8Array, from: ConnectionId, at?: Cursor): void {
    for (const connection of this.#connections.values()) {
      if (connection.id === from) continue
      this.#passedOn += frame.length + writeCost
      connection.deliver(frame, at)
    }
  }

  #announce(frame: Uint8Array, about?: ConnectionId): void {
    for (const connection of this.#connections.values()) {
      if (connection.id !== about) connection.announce(frame)
    }
  }

  #compactNow(compact: Compaction | undefined, now: number): Compaction | undefined {
    if (!compact || now - this.#askedAt < askAgainMs) return undefined
    this.#askedAt = now
    return compact
  }
}

/** In place: what lives from one change to the next is copied by the garbage collector, and there are many rooms. */
function advance(cursor: Map<string, Position>, later: Cursor): void {
  for (const [origin, position] of later) cursor.set(origin, position)
}
