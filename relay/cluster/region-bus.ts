import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { decodeExactly } from '../../shared/codec.ts'
import type { Position } from '../../shared/cursor.ts'
import { takeAsker } from '../../shared/escrow.ts'
import type { SessionId } from '../../shared/id.ts'
import type { ConnectionId } from '../../shared/wire.ts'
import type { Bus, Delivered, Subscriber } from '../bus.ts'
import { checksumOf, markOf } from '../hash.ts'
import { type Deleted, entryKinds, type Refusal, type Unreachable } from '../store.ts'
import type { Aside, Lines } from './lines.ts'
import type { Became, News } from './news.ts'
import { Others } from './others.ts'
import type { Region } from './region.ts'
import type { RegionStore } from './region-store.ts'
import type { Stated, Statement } from './statement.ts'

interface Session {
  readonly subscribers: Set<Subscriber>
  /** Everybody announced, with the relay they are connected to. */
  readonly present: Map<ConnectionId, string>
  readonly stop: () => void
  /** The last sequence heard from the stream. */
  heard: number | undefined
  saved: Position | undefined
  failed: Refusal | undefined
}

const unreachable: Unreachable = { outcome: 'refused', reason: 'unreachable' }

/** The bus of one relay among others: JetStream numbers the entries, NATS brings them to every relay. */
export class RegionBus implements Bus {
  readonly #lines: Lines
  readonly #store: RegionStore
  readonly #others: Others
  readonly #probeMs: number
  /** Tells relays apart. */
  readonly #self = randomBytes(8).toString('hex')
  readonly #sessions = new Map<SessionId, Session>()
  readonly #failed = new Map<SessionId, Session>()
  #probing: NodeJS.Timeout | undefined
  #appending = 0

  constructor(region: Region, lines: Lines, store: RegionStore, probeMs = 1000) {
    this.#lines = lines
    this.#store = store
    this.#probeMs = probeMs
    this.#others = new Others(region, this.#self, (relay) => this.#lost(relay))
    void this.#watch(region)
  }

  subscribe(id: SessionId, subscriber: Subscriber): () => void {
    const session = this.#sessions.get(id) ?? this.#open(id)
    session.subscribers.add(subscriber)
    if (session.saved) subscriber.saved(session.saved)
    if (session.failed) subscriber.log('unreachable')
    return () => {
      session.subscribers.delete(subscriber)
      this.#release(id, session)
    }
  }

  async append(id: SessionId, author: ConnectionId, envelope: Uint8Array): Promise<Delivered> {
    const session = this.#sessions.get(id) ?? this.#open(id)
    const statement = { author, message: { type: 'append', ref: 0, envelope } } as const
    if (session.failed) {
      this.#pass(id, session, statement)
      return { outcome: 'refused', reason: session.failed }
    }
    const became = await this.#state(id, statement)
    if (!became) this.#pass(id, session, statement)
    const answer = delivered(became)
    if (answer.outcome === 'refused') this.#fail(id, session, answer.reason)
    return answer
  }

  async release(id: SessionId, round: Uint8Array, asker: Uint8Array): Promise<Delivered> {
    const failed = this.#sessions.get(id)?.failed
    if (failed) return { outcome: 'refused', reason: failed }
    const by = decodeExactly(asker, takeAsker)
    if (!by) return unreachable
    const became = await this.#state(id, {
      author: 0,
      message: { type: 'release', ref: 0, round, asker: by },
    })
    return delivered(became)
  }

  signal(id: SessionId, from: ConnectionId, to: ConnectionId, envelope: Uint8Array): void {
    for (const subscriber of this.#subscribers(id)) subscriber.signal(from, to, envelope)
    const body = Buffer.alloc(8 + envelope.length)
    body.writeUInt32BE(from)
    body.writeUInt32BE(to, 4)
    body.set(envelope, 8)
    this.#lines.say(id, 'signal', body)
  }

  join(id: SessionId, connection: ConnectionId): void {
    const session = this.#sessions.get(id) ?? this.#open(id)
    session.present.set(connection, this.#self)
    for (const subscriber of session.subscribers) subscriber.joined(connection)
    this.#lines.say(id, 'joined', this.#presence(connection))
  }

  leave(id: SessionId, connection: ConnectionId): void {
    const session = this.#sessions.get(id)
    if (session?.present.get(connection) !== this.#self) return
    this.#left(session, connection)
    this.#lines.say(id, 'left', this.#presence(connection))
    this.#release(id, session)
  }

  present(id: SessionId): Iterable<ConnectionId> {
    return this.#sessions.get(id)?.present.keys() ?? []
  }

  doubt(id: SessionId): void {
    const session = this.#sessions.get(id)
    if (session) this.#fail(id, session, 'unreachable')
  }

  async delete(id: SessionId): Promise<Deleted | Unreachable> {
    return this.#store.delete(id)
  }

  async settled(): Promise<void> {
    while (this.#appending > 0) await wait(2)
  }

  close(): void {
    clearTimeout(this.#probing)
    this.#failed.clear()
    this.#others.stop()
    for (const { stop } of this.#sessions.values()) stop()
    this.#sessions.clear()
  }

  async #state(
    id: SessionId,
    statement: { author: ConnectionId; message: Stated },
  ): Promise<Became | undefined> {
    this.#appending++
    const became = await this.#lines.state(id, statement)
    this.#appending--
    return became
  }

  #open(id: SessionId): Session {
    const session: Session = {
      subscribers: new Set(),
      present: new Map(),
      stop: this.#lines.listen(id, {
        stated: (statement, sequence, previous) => this.#stated(id, session, statement, sequence, previous),
        became: (news) => this.#became(id, session, news),
        aside: (kind, body) => this.#aside(id, session, kind, body),
      }),
      heard: undefined,
      saved: undefined,
      failed: undefined,
    }
    this.#sessions.set(id, session)
    this.#lines.say(id, 'who', new Uint8Array())
    void this.#store.head(id).then((head) => {
      if (this.#sessions.get(id) !== session) return
      if (head.outcome === 'refused') this.#fail(id, session, head.reason)
      else this.#save(session, head.saved)
    })
    return session
  }

  #stated(
    id: SessionId,
    session: Session,
    { author, message }: Statement,
    sequence: number,
    previous: number,
  ): void {
    const { heard } = session
    session.heard = sequence
    // Something was lost on the way here: whoever is connected reads it from the log.
    if (heard !== undefined && heard !== previous) return this.#fail(id, session, 'unreachable')
    if (message.type !== 'append') return
    const position = { sequence, mark: markOf(checksumOf(message.envelope)) }
    this.#tell(session, author, session.failed ? undefined : position, message.envelope)
  }

  #became(id: SessionId, session: Session, { sequence, of, outcome: became }: News): void {
    // Another store of this shard was quicker, and everybody knows.
    const isKnown = sequence <= (session.saved?.sequence ?? 0)
    if (isKnown && became.outcome !== 'deleted') return
    if (became.outcome === 'deleted') for (const subscriber of [...session.subscribers]) subscriber.deleted()
    if (became.outcome === 'refused' && of === 'append') this.#fail(id, session, became.reason)
    // Who hears keys must be able to find them in the log.
    if (became.outcome === 'released' && !session.failed) {
      for (const subscriber of session.subscribers)
        subscriber.entry(0, became.position, became.body, entryKinds.released)
    }
    const isPlace = became.outcome === 'saved' || became.outcome === 'released'
    if (isPlace && !session.failed) this.#save(session, became.position)
  }

  #aside(id: SessionId, session: Session, kind: Aside, body: Uint8Array): void {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
    switch (kind) {
      case 'signal':
        for (const subscriber of session.subscribers)
          subscriber.signal(bytes.readUInt32BE(0), bytes.readUInt32BE(4), body.subarray(8))
        return
      case 'loose':
        return this.#tell(session, bytes.readUInt32BE(0), undefined, body.subarray(4))
      case 'who':
        for (const [connection, relay] of session.present)
          if (relay === this.#self) this.#lines.say(id, 'joined', this.#presence(connection))
        return
      case 'joined': {
        const [connection, relay] = [bytes.readUInt32BE(0), bytes.toString('latin1', 4)]
        this.#others.heardOf(relay)
        if (session.present.has(connection)) return
        session.present.set(connection, relay)
        for (const subscriber of session.subscribers) subscriber.joined(connection)
        return
      }
      case 'left':
        return this.#left(session, bytes.readUInt32BE(0))
    }
  }

  /** Nothing keeps it, but whoever is connected hears it. */
  #pass(id: SessionId, session: Session, { author, message }: Statement): void {
    if (message.type !== 'append') return
    this.#tell(session, author, undefined, message.envelope)
    const body = Buffer.alloc(4 + message.envelope.length)
    body.writeUInt32BE(author)
    body.set(message.envelope, 4)
    this.#lines.say(id, 'loose', body)
  }

  #tell(session: Session, author: ConnectionId, position: Position | undefined, envelope: Uint8Array): void {
    for (const subscriber of session.subscribers)
      subscriber.entry(author, position, envelope, entryKinds.change)
  }

  #presence(connection: ConnectionId): Buffer {
    const body = Buffer.alloc(4 + this.#self.length)
    body.writeUInt32BE(connection)
    body.write(this.#self, 4, 'latin1')
    return body
  }

  #left(session: Session, connection: ConnectionId): void {
    if (!session.present.delete(connection)) return
    for (const subscriber of session.subscribers) subscriber.left(connection)
  }

  /** A relay is gone, and with it everybody who was connected to it. */
  #lost(relay: string): void {
    for (const session of this.#sessions.values()) {
      for (const [connection, at] of session.present) if (at === relay) this.#left(session, connection)
    }
  }

  #save(session: Session, saved: Position | undefined): void {
    if (!saved || saved.sequence <= (session.saved?.sequence ?? 0)) return
    session.saved = saved
    for (const subscriber of session.subscribers) subscriber.saved(saved)
  }

  #release(id: SessionId, { subscribers, present, stop }: Session): void {
    const isUsed = subscribers.size > 0 || [...present.values()].includes(this.#self)
    if (isUsed) return
    stop()
    this.#sessions.delete(id)
    this.#failed.delete(id)
  }

  #subscribers(id: SessionId): Iterable<Subscriber> {
    return this.#sessions.get(id)?.subscribers ?? []
  }

  #fail(id: SessionId, session: Session, reason: Refusal): void {
    if (session.failed || this.#sessions.get(id) !== session) return
    session.failed = reason
    this.#failed.set(id, session)
    for (const subscriber of session.subscribers) subscriber.log('unreachable')
    this.#probing ??= setTimeout(() => void this.#probe(), this.#probeMs).unref()
  }

  /** Finds out when appends would work again. */
  async #probe(): Promise<void> {
    await Promise.all([...this.#failed].map(([id, session]) => this.#recover(id, session)))
    this.#probing =
      this.#failed.size > 0 ? setTimeout(() => void this.#probe(), this.#probeMs).unref() : undefined
  }

  async #recover(id: SessionId, session: Session): Promise<void> {
    const head = await this.#store.head(id)
    if (head.outcome === 'refused' || head.overQuota || this.#failed.get(id) !== session) return
    session.failed = undefined
    session.heard = undefined
    this.#failed.delete(id)
    session.saved = head.saved
    for (const subscriber of session.subscribers) {
      if (head.saved) subscriber.saved(head.saved)
      subscriber.log('kept')
    }
  }

  /** While this relay is cut off from NATS its rooms go on by themselves. */
  async #watch({ connection }: Region): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type !== 'disconnect') continue
      for (const [id, session] of this.#sessions) this.#fail(id, session, 'unreachable')
    }
  }
}

function delivered(became: Became = unreachable): Delivered {
  switch (became.outcome) {
    case 'saved':
      return { outcome: 'saved', compact: became.compact }
    case 'deleted':
    case 'refused':
      return became
    default:
      return { outcome: 'saved', compact: undefined }
  }
}
