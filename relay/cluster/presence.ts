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

/** Who is connected to which relay, in every session that somebody here listens to. */
export class Presence {
  readonly #lines: Lines
  readonly #hears: Hears
  readonly #others: Others
  /** Tells relays apart. */
  readonly #self = randomBytes(8).toString('hex')
  readonly #sessions = new Map<SessionId, Map<ConnectionId, string>>()

  constructor(region: Region, lines: Lines, hears: Hears) {
    this.#lines = lines
    this.#hears = hears
    this.#others = new Others(region, this.#self, {
      found: (isBack) => this.#introduceAll(isBack),
      lost: (relay) => this.#lost(relay),
    })
  }

  of(session: SessionId): Iterable<ConnectionId> {
    return this.#sessions.get(session)?.keys() ?? []
  }

  hasOwn(session: SessionId): boolean {
    return [...(this.#sessions.get(session)?.values() ?? [])].includes(this.#self)
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
    this.#sessions.get(session)?.set(connection, this.#self)
    this.#hears.joined(session, connection)
    this.#lines.say(session, 'joined', this.#announcement(connection))
  }

  /** False when it was not announced here. */
  leave(session: SessionId, connection: ConnectionId): boolean {
    if (this.#sessions.get(session)?.get(connection) !== this.#self) return false
    this.#left(session, connection)
    this.#lines.say(session, 'left', this.#announcement(connection))
    return true
  }

  asked(session: SessionId): void {
    for (const [connection, relay] of this.#sessions.get(session) ?? [])
      if (relay === this.#self) this.#lines.say(session, 'joined', this.#announcement(connection))
  }

  heardJoined(session: SessionId, body: Buffer): void {
    const [connection, relay] = [body.readUInt32BE(0), body.toString('latin1', 4)]
    this.#others.heardOf(relay)
    const present = this.#sessions.get(session)
    if (!present || present.has(connection)) return
    present.set(connection, relay)
    this.#hears.joined(session, connection)
  }

  heardLeft(session: SessionId, body: Buffer): void {
    this.#left(session, body.readUInt32BE(0))
  }

  stop(): void {
    this.#others.stop()
    this.#sessions.clear()
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
    for (const [session, present] of this.#sessions) {
      for (const [connection, at] of present) if (at === relay) this.#left(session, connection)
    }
  }
}
