import type { CloseReason } from '../../shared/close-code.ts'
import { type Cursor, covers } from '../../shared/cursor.ts'
import { envelopeLimits, paddedSize } from '../../shared/envelope.ts'
import type { SessionId } from '../../shared/id.ts'
import type { Role } from '../../shared/keys.ts'
import {
  type ConnectionId,
  decodeFromClient,
  encodeFromRelay,
  type FromClient,
  type FromRelay,
  frameLimits,
  type UnsavedReason,
} from '../../shared/wire.ts'
import type { Refused } from '../operators/report.ts'
import type { Follow } from '../operators/traces.ts'
import { type CaughtUp, catchUp, type Reader } from '../rooms/catch-up.ts'
import type { Room } from '../rooms/room.ts'
import type { Rooms } from '../rooms/rooms.ts'
import type { Compaction } from '../store/store.ts'
import { closeCodes } from './close-words.ts'
import { checkAsker, checkDeletion, checkHello, type Hello } from './hello.ts'
import { type Limits, spend } from './limits.ts'

/** The way to one client. */
export interface Outlet {
  send(frame: Uint8Array): void
  /** Resolves when what was sent has left this process, or can no longer, and others have had their turn. */
  flush(): Promise<void>
  /** How many bytes wait because the client does not read fast enough. */
  readonly bufferedAmount: number
  /** Takes nothing more from the client for so many milliseconds; what it sends meanwhile waits at its end. */
  hold(ms: number): void
  close(code: number, words: string): void
}

/** What all connections of a relay share. Time and chance come from outside, so that a simulation can give them. */
export interface Surroundings {
  readonly rooms: Rooms
  readonly limits: Limits
  /** Milliseconds of a clock that never goes back. */
  now(): number
  random(bytes: number): Uint8Array
  refused(reason: Refused): void
  /** Somebody got what they missed: so many bytes of envelopes, in so many milliseconds. */
  caughtUp(ms: number, bytes: number): void
  /** Goes on with the trace that a client says it has begun; undefined unless the operator wants that. */
  readonly following?: ((header: string) => Follow | undefined) | undefined
}

type State =
  | {
      readonly phase: 'greeting'
      readonly session: SessionId
      readonly nonce: Uint8Array
      readonly origin: string
    }
  | { readonly phase: 'catchingUp'; readonly role: Role; readonly room: Room; readonly missed: Missed }
  | { readonly phase: 'live'; readonly role: Role; readonly room: Room }
  | { readonly phase: 'closed' }

/** What happened while the log was being read, in order. Entries with a place in the log have it. */
interface Missed {
  readonly frames: { readonly frame: Uint8Array; readonly at: Cursor | undefined }[]
  bytes: number
}

type WithEnvelope = Extract<FromClient, { envelope: unknown }>
type WithoutEnvelope = Exclude<FromClient, Hello | WithEnvelope>

/** Shorter than anybody on the way waits for an answer, and than it takes to count as gone. */
const longestHoldMs = 10_000
/** Quotas and pages count bytes: of smaller ones many would be kept, and read at once. */
const smallestEnvelope = paddedSize(0)
const closed: State = { phase: 'closed' }

/** One client on this relay: frames come in by `receive` and go out by the outlet. */
export class Connection implements Reader {
  readonly id: ConnectionId
  readonly #outlet: Outlet
  readonly #surroundings: Surroundings
  readonly #follow: Follow | undefined
  #earnedAt = 0
  #state: State

  constructor(
    session: SessionId,
    origin: string,
    outlet: Outlet,
    surroundings: Surroundings,
    follow?: Follow,
  ) {
    const nonce = surroundings.random(32)
    this.id = connectionId(surroundings.random(4))
    this.#outlet = outlet
    this.#surroundings = surroundings
    this.#follow = follow
    this.#state = { phase: 'greeting', session, nonce, origin }
    this.#tell({ type: 'challenge', nonce })
  }

  get phase(): State['phase'] {
    return this.#state.phase
  }

  get isListening(): boolean {
    return this.#state.phase !== 'closed'
  }

  now(): number {
    return this.#surroundings.now()
  }

  receive(frame: Uint8Array): void {
    const state = this.#state
    if (state.phase === 'closed' || !this.count()) return
    if (state.phase === 'greeting') return this.#greet(frame, state)
    if (!state.room.spend(this.#surroundings.limits.framesOfSession, this.now())) return this.close('tooFast')
    const message = decodeFromClient(frame)
    if (!message || message.type === 'hello') return this.close('malformed')
    if (!('envelope' in message)) return this.#takeSmall(message, state.role, state.room)
    const { length } = message.envelope
    if (length < smallestEnvelope) return this.close('malformed')
    if (length > envelopeLimits[message.type === 'append' ? 'change' : message.type])
      return this.close('tooLarge')
    this.#take(message, state.role, state.room)
    const early = state.room.earliness(this.#surroundings.limits.bytesOfSession, this.now())
    if (early > 0) this.#outlet.hold(Math.min(early, longestHoldMs))
  }

  /** Each frame counts, pings too: they are work as well. False when there were too many, and it is closed. */
  count(): boolean {
    const earnedAt = spend(this.#earnedAt, this.#surroundings.limits.framesOfConnection, this.now())
    if (earnedAt) this.#earnedAt = earnedAt
    else this.close('tooFast')
    return earnedAt !== undefined
  }

  /** Sends what happened, or keeps it until the log has been read. */
  deliver(frame: Uint8Array, at?: Cursor): void {
    const state = this.#state
    if (state.phase === 'live') this.send(frame)
    else if (state.phase === 'catchingUp') {
      state.missed.frames.push({ frame, at })
      state.missed.bytes += frame.length
      if (state.missed.bytes > this.#surroundings.limits.bufferedBytes) this.close('tooSlow')
    }
  }

  /** Who is there is told once the log has been read. */
  announce(frame: Uint8Array): void {
    if (this.#state.phase === 'live') this.send(frame)
  }

  saved(ref: number, cursor: Cursor, compact: Compaction | undefined): void {
    this.deliver(encodeFromRelay({ type: 'saved', ref, cursor, compact }))
  }

  unsaved(ref: number, reason: UnsavedReason): void {
    this.deliver(encodeFromRelay({ type: 'unsaved', ref, reason }))
  }

  keepAlive(): void {
    const state = this.#state
    if (state.phase !== 'live') return
    const { savedCursor, elsewhere } = state.room
    this.#tell({ type: 'keepalive', cursor: savedCursor, elsewhere })
  }

  goAway(retryAfter: number): void {
    if (this.isListening) this.#tell({ type: 'goingAway', retryAfter })
  }

  send(frame: Uint8Array): void {
    const { phase } = this.#state
    if (phase === 'closed') return
    const isSlow = this.#outlet.bufferedAmount > this.#surroundings.limits.bufferedBytes
    // While catching up the log is what waits, and `flush` sees to it that it is not too much.
    if (isSlow && phase === 'live') this.close('tooSlow')
    else this.#outlet.send(frame)
  }

  flush(): Promise<void> {
    return this.#outlet.flush()
  }

  close(reason: CloseReason): void {
    if (!this.isListening) return
    const { code, words } = closeCodes[reason]
    this.#surroundings.refused(reason)
    this.#tell({ type: 'refuse', code, words })
    this.gone()
    this.#outlet.close(code, words)
  }

  /** The client has left, or was asked to. */
  gone(): void {
    const state = this.#state
    this.#state = closed
    if (state.phase === 'catchingUp' || state.phase === 'live') state.room.leave(this)
  }

  #greet(frame: Uint8Array, { session, nonce, origin }: Extract<State, { phase: 'greeting' }>): void {
    if (frame.length > frameLimits.beforeHello) return this.close('tooLarge')
    const hello = decodeFromClient(frame)
    if (hello?.type !== 'hello') return this.close('malformed')
    const role = checkHello(hello, session, nonce, origin)
    if (role === 'version' || role === 'forbidden') return this.close(role)
    const room = this.#surroundings.rooms.of(session)
    if (room.publicKeys.length === 0) room.publicKeys = hello.publicKeys.slice()
    void this.#catchUp(hello, role, room)
  }

  /** First subscribe, then read, then deliver: nothing falls between the log and what happens meanwhile. */
  async #catchUp({ cursor, generation }: Hello, role: Role, room: Room): Promise<void> {
    const missed: Missed = { frames: [], bytes: 0 }
    this.#state = { phase: 'catchingUp', role, room, missed }
    room.enter(this)
    const began = this.now()
    const caughtUp = await catchUp(room, cursor, generation, this)
    if (caughtUp.log === 'kept') this.#surroundings.caughtUp(this.now() - began, caughtUp.bytes)
    if (caughtUp.log === 'deleted') this.close('deleted')
    else if (this.isListening) this.#goLive(role, room, missed, caughtUp)
  }

  #goLive(role: Role, room: Room, missed: Missed, caughtUp: Exclude<CaughtUp, { log: 'deleted' }>): void {
    const upTo: Cursor = caughtUp.log === 'kept' ? caughtUp.upTo : new Map()
    for (const connection of room.present) this.#tell({ type: 'joined', connection })
    for (const { frame, at } of missed.frames) {
      if (!at || !covers(upTo, at)) this.#outlet.send(frame)
    }
    this.#tell({
      type: 'caughtUp',
      cursor: upTo,
      log: caughtUp.log === 'kept' && room.isReachable ? 'kept' : 'unreachable',
      resumed: caughtUp.log === 'kept' && caughtUp.resumed,
    })
    this.#state = { phase: 'live', role, room }
    room.announce(this)
  }

  #takeSmall(message: WithoutEnvelope, role: Role, room: Room): void {
    switch (message.type) {
      case 'delete': // when it is done, everybody is told, this client too
        if (role !== 'owner' || !checkDeletion(room.session, room.publicKeys, message.signature)) {
          return this.close('forbidden')
        }
        void room.delete(this)
        return
      case 'deposit':
        if (role === 'observer') return this.unsaved(message.ref, 'observer')
        void room.deposit(this, message.ref, message)
        return
      case 'release':
        if (role === 'observer') return this.unsaved(message.ref, 'observer')
        if (!checkAsker(room.session, room.publicKeys, message.round, message.asker)) {
          return this.close('forbidden')
        }
        void room.release(this, message.ref, message.round, message.asker)
        return
    }
  }

  #take(message: WithEnvelope, role: Role, room: Room): void {
    switch (message.type) {
      case 'append':
        if (role === 'observer') return this.unsaved(message.ref, 'observer')
        this.#follow?.(message.envelope, message.ref)
        void room.append(this, message.ref, message.envelope)
        return
      case 'signal':
        return room.relay(this, message.to, message.envelope)
      case 'snapshot':
        if (role !== 'observer') void room.putSnapshot(message.covers, message.replaces, message.envelope)
        return
    }
  }

  #tell(message: FromRelay): void {
    this.#outlet.send(encodeFromRelay(message))
  }
}

/** Random, so that relays that never heard of each other give different ones; not 0, which means everybody. */
function connectionId(bytes: Uint8Array): ConnectionId {
  // 31 bits, which engines keep without a box of its own.
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) >>> 1 || 1
}
