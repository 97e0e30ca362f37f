import { randomBytes } from 'node:crypto'
import type { SessionId } from '../../shared/id.ts'
import type { ConnectionId } from '../../shared/wire.ts'
import type { Lines } from './lines.ts'
import { Others } from './others.ts'
import type { Region } from './region.ts'

interface Hears {
  joined(session: SessionId, connection: ConnectionId): void
  left(session: SessionId, connection: ConnectionId): void
}

const ordinaryTickMs = 1_000
/** Of so many ticks each session has one, in which the other relays are told who is here: what they missed they know then. */
const turn = 30
/** After so many turns without being told again, somebody who is connected elsewhere has left. */
const patience = 3
const relayLength = 16

interface Present {
  readonly relay: string
  /** When that relay said so last. */
  at: number
}

/** Who is connected to which relay, in every session that somebody here listens to. */
export class Presence {
  readonly #lines: Lines
  readonly #hears: Hears
  readonly #others: Others
  /** Tells relays apart. */
  readonly #self = randomBytes(relayLength / 2).toString('hex')
  readonly #sessions = new Map<SessionId, Map<ConnectionId, Present>>()
  /** Relays that tell it again. Older versions do not. */
  readonly #telling = new Set<string>()
  readonly #timer: NodeJS.Timeout
  readonly #forgottenMs: number
  #turn = this.#sessions.keys()

  constructor(region: Region, lines: Lines, hears: Hears, tickMs = ordinaryTickMs) {
    this.#lines = lines
    this.#hears = hears
    this.#others = new Others(region, this.#self, {
      found: (isBack) => this.#introduceAll(isBack),
      lost: (relay) => this.#lost(relay),
    })
    this.#forgottenMs = patience * turn * tickMs
    this.#timer = setInterval(() => this.#tick(), tickMs).unref()
  }

  of(session: SessionId): Iterable<ConnectionId> {
    return this.#sessions.get(session)?.keys() ?? []
  }

  hasOwn(session: SessionId): boolean {
    return this.#own(session).length > 0
  }

  /** Asks the other relays who is there. */
  open(session: SessionId): void {
    this.#sessions.set(session, new Map())
    this.#ask(session)
  }

  close(session: SessionId): void {
    this.#sessions.delete(session)
  }

  join(session: SessionId, connection: ConnectionId): void {
    this.#sessions.get(session)?.set(connection, this.#presentAt(this.#self))
    this.#hears.joined(session, connection)
    this.#lines.say(session, 'joined', this.#announcement(connection))
  }

  /** False when it was not announced here. */
  leave(session: SessionId, connection: ConnectionId): boolean {
    if (this.#sessions.get(session)?.get(connection)?.relay !== this.#self) return false
    this.#left(session, connection)
    this.#lines.say(session, 'left', this.#announcement(connection))
    return true
  }

  asked(session: SessionId): void {
    for (const connection of this.#own(session))
      this.#lines.say(session, 'joined', this.#announcement(connection))
  }

  heardJoined(session: SessionId, body: Buffer): void {
    const [connection, relay] = [body.readUInt32BE(0), body.toString('latin1', 4)]
    this.#others.heardOf(relay)
    this.#isPresent(session, connection, relay)
  }

  heardLeft(session: SessionId, body: Buffer): void {
    this.#left(session, body.readUInt32BE(0))
  }

  /** Everybody who is connected to a relay. A few of them, or all, may have come or left unheard, while a link was cut for a moment. */
  heardHere(session: SessionId, body: Buffer): void {
    const relay = body.toString('latin1', 0, relayLength)
    this.#others.heardOf(relay)
    this.#telling.add(relay)
    const here = new Set<ConnectionId>()
    for (let at = relayLength; at < body.length; at += 4) here.add(body.readUInt32BE(at))
    for (const connection of here) this.#isPresent(session, connection, relay)
    this.#leaveUnless(session, (connection, present) => present.relay !== relay || here.has(connection))
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#others.stop()
    this.#sessions.clear()
  }

  #own(session: SessionId): ConnectionId[] {
    const present = [...(this.#sessions.get(session) ?? [])]
    return present.flatMap(([connection, { relay }]) => (relay === this.#self ? connection : []))
  }

  #presentAt(relay: string): Present {
    return { relay, at: performance.now() }
  }

  #isPresent(session: SessionId, connection: ConnectionId, relay: string): void {
    const present = this.#sessions.get(session)
    const known = present?.get(connection)
    if (known) known.at = performance.now()
    if (!present || known) return
    present.set(connection, this.#presentAt(relay))
    this.#hears.joined(session, connection)
  }

  #leaveUnless(session: SessionId, isHere: (connection: ConnectionId, present: Present) => boolean): void {
    for (const [connection, present] of this.#sessions.get(session) ?? [])
      if (!isHere(connection, present)) this.#left(session, connection)
  }

  /** Each session has its turn; one that has just begun may have it twice. */
  #tick(): void {
    if (this.#others.areNone) return
    for (let left = Math.ceil(this.#sessions.size / turn); left > 0; left--) {
      const next = this.#turn.next()
      if (next.done) {
        this.#turn = this.#sessions.keys()
        return
      }
      this.#tellAgain(next.value)
    }
  }

  #tellAgain(session: SessionId): void {
    const own = this.#own(session)
    const body = Buffer.alloc(relayLength + 4 * own.length)
    body.write(this.#self, 'latin1')
    own.forEach((connection, number) => void body.writeUInt32BE(connection, relayLength + 4 * number))
    this.#lines.say(session, 'here', body)
    // A relay that has nobody left in a session may have closed it.
    const forgotten = performance.now() - this.#forgottenMs
    this.#leaveUnless(session, (_, { relay, at }) => !this.#telling.has(relay) || at > forgotten)
  }

  #announcement(connection: ConnectionId): Buffer {
    const body = Buffer.alloc(4 + this.#self.length)
    body.writeUInt32BE(connection)
    body.write(this.#self, 4, 'latin1')
    return body
  }

  #left(session: SessionId, connection: ConnectionId): void {
    if (this.#sessions.get(session)?.delete(connection)) this.#hears.left(session, connection)
  }

  #ask(session: SessionId): void {
    this.#lines.say(session, 'who', new Uint8Array())
  }

  /** A relay that is new, or was cut off, knows nobody here. One that is back may have heard this one all the time, and tells nothing unasked. */
  #introduceAll(isBack: boolean): void {
    for (const session of this.#sessions.keys()) {
      this.asked(session)
      if (isBack) this.#ask(session)
    }
  }

  /** A relay is gone, and with it everybody who was connected to it. */
  #lost(relay: string): void {
    this.#telling.delete(relay)
    for (const session of this.#sessions.keys())
      this.#leaveUnless(session, (_, present) => present.relay !== relay)
  }
}
