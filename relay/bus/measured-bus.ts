import type { Cursor } from '../../shared/cursor.ts'
import type { SessionId } from '../../shared/id.ts'
import type { ConnectionId } from '../../shared/wire.ts'
import type { Meters } from '../operators/meters.ts'
import type { Traces } from '../operators/traces.ts'
import type { EntryKind } from '../store/store.ts'
import type { Bus, Delivered, Subscriber } from './bus.ts'

interface Followed {
  readonly began: number
  readonly envelope: Uint8Array
}

/** A bus with a watch beside it: how long changes take to everybody, and to the disk. Traces follow them from here. */
export class MeasuredBus implements Bus {
  readonly #bus: Bus
  readonly #meters: Pick<Meters, 'appended' | 'fannedOut'>
  readonly #traces: Traces | undefined
  /** When the change began that an author has under way. Of several at once only the first is followed. */
  readonly #underWay = new Map<ConnectionId, Followed>()

  constructor(bus: Bus, meters: Pick<Meters, 'appended' | 'fannedOut'>, traces?: Traces) {
    this.#bus = bus
    this.#meters = meters
    this.#traces = traces
  }

  subscribe(session: SessionId, subscriber: Subscriber): () => void {
    return this.#bus.subscribe(session, new Listener(subscriber, this, this.#traces))
  }

  append(session: SessionId, author: ConnectionId, envelope: Uint8Array): Promise<Delivered> {
    const began = performance.now()
    if (!this.#underWay.has(author)) this.#underWay.set(author, { began, envelope })
    const answered = this.#traces?.appending(envelope)
    return this.#bus.append(session, author, envelope).then((delivered) => {
      if (this.#underWay.get(author)?.envelope === envelope) this.#underWay.delete(author)
      this.#meters.appended(delivered, performance.now() - began)
      answered?.(delivered.outcome === 'refused' ? delivered.reason : delivered.outcome)
      return delivered
    })
  }

  /** Everybody here has been handed a change of this author. */
  heard(author: ConnectionId, envelope: Uint8Array): void {
    const followed = this.#underWay.get(author)
    if (!followed || !beginAlike(followed.envelope, envelope)) return
    this.#underWay.delete(author)
    this.#meters.fannedOut(performance.now() - followed.began)
  }

  release(session: SessionId, round: Uint8Array, asker: Uint8Array) {
    return this.#bus.release(session, round, asker)
  }

  signal(session: SessionId, from: ConnectionId, to: ConnectionId, envelope: Uint8Array): void {
    this.#bus.signal(session, from, to, envelope)
  }

  join(session: SessionId, connection: ConnectionId): void {
    this.#bus.join(session, connection)
  }

  leave(session: SessionId, connection: ConnectionId): void {
    this.#bus.leave(session, connection)
  }

  present(session: SessionId) {
    return this.#bus.present(session)
  }

  doubt(session: SessionId): void {
    this.#bus.doubt(session)
  }

  delete(session: SessionId) {
    return this.#bus.delete(session)
  }

  settled(): Promise<void> {
    return this.#bus.settled()
  }

  close(): void {
    this.#bus.close()
  }
}

class Listener implements Subscriber {
  readonly #subscriber: Subscriber
  readonly #bus: MeasuredBus
  readonly #traces: Traces | undefined

  constructor(subscriber: Subscriber, bus: MeasuredBus, traces: Traces | undefined) {
    this.#subscriber = subscriber
    this.#bus = bus
    this.#traces = traces
  }

  entry(author: ConnectionId, at: Cursor | undefined, envelope: Uint8Array, kind: EntryKind): void {
    const fannedOut = this.#traces?.fanningOut(envelope)
    this.#subscriber.entry(author, at, envelope, kind)
    fannedOut?.()
    this.#bus.heard(author, envelope)
  }

  signal(from: ConnectionId, to: ConnectionId, envelope: Uint8Array): void {
    this.#subscriber.signal(from, to, envelope)
  }

  joined(connection: ConnectionId): void {
    this.#subscriber.joined(connection)
  }

  left(connection: ConnectionId): void {
    this.#subscriber.left(connection)
  }

  saved(cursor: Cursor): void {
    this.#subscriber.saved(cursor)
  }

  savedElsewhere(cursor: Cursor): void {
    this.#subscriber.savedElsewhere(cursor)
  }

  log(state: 'kept' | 'unreachable'): void {
    this.#subscriber.log(state)
  }

  deleted(): void {
    this.#subscriber.deleted()
  }
}

/** Envelopes begin with a nonce, and come back from other processes as a copy. */
function beginAlike(one: Uint8Array, other: Uint8Array): boolean {
  for (let at = 0; at < 8; at++) if (one[at] !== other[at]) return false
  return true
}
