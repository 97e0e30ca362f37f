import { setTimeout as wait } from 'node:timers/promises'
import { decodeExactly } from '../../shared/codec.ts'
import type { Cursor } from '../../shared/cursor.ts'
import { takeAsker } from '../../shared/escrow.ts'
import type { SessionId } from '../../shared/id.ts'
import type { ConnectionId } from '../../shared/wire.ts'
import type { Bus, Delivered, Subscriber } from '../bus/bus.ts'
import { type Deleted, type Unreachable, unreachable } from '../store/store.ts'
import type { Lines } from './lines.ts'
import type { Became } from './news.ts'
import { Presence } from './presence.ts'
import type { Answers } from './questions.ts'
import type { Region } from './region.ts'
import { RegionSession, type SessionSurroundings } from './region-session.ts'
import type { RegionStore } from './region-store.ts'
import type { Stated, Statement } from './statement.ts'
import { UsedToday } from './used-today.ts'

const nobody: ConnectionId = 0

/** The bus of one relay among others: JetStream numbers the entries, NATS brings them to every relay. */
export class RegionBus implements Bus {
  readonly #lines: Lines
  readonly #store: RegionStore
  readonly #presence: Presence
  readonly #probeMs: number
  readonly #usedToday: UsedToday
  readonly #surroundings: SessionSurroundings
  readonly #sessions = new Map<SessionId, RegionSession>()
  readonly #failed = new Set<RegionSession>()
  #probing: NodeJS.Timeout | undefined
  #appending = 0

  constructor(region: Region, lines: Lines, store: RegionStore, probeMs = 1000) {
    this.#lines = lines
    this.#store = store
    this.#probeMs = probeMs
    this.#presence = new Presence(region, lines, {
      joined: (id, connection) => this.#each(id, (subscriber) => subscriber.joined(connection)),
      left: (id, connection) => this.#each(id, (subscriber) => subscriber.left(connection)),
    })
    this.#usedToday = new UsedToday((session) => store.noteUse(session))
    const failed = (session: RegionSession) => this.#noteFailed(session)
    this.#surroundings = { region: region.name, lines, store, presence: this.#presence, failed }
    void this.#watch(region)
  }

  subscribe(id: SessionId, subscriber: Subscriber): () => void {
    const session = this.#sessions.get(id) ?? this.#open(id)
    session.subscribe(subscriber)
    return () => {
      session.subscribers.delete(subscriber)
      this.#release(session)
    }
  }

  async append(id: SessionId, author: ConnectionId, envelope: Uint8Array): Promise<Delivered> {
    const session = this.#sessions.get(id) ?? this.#open(id)
    if (session.isBeginning) await session.begun
    const statement = { author, message: { type: 'append', ref: 0, envelope } } as const
    if (session.failed) {
      this.#pass(id, statement)
      return session.failed
    }
    const became = await this.#state(id, statement)
    if (!became) this.#pass(id, statement)
    const answer = delivered(became)
    if (answer.outcome === 'refused') session.fail(answer.reason)
    return answer
  }

  async release(id: SessionId, round: Uint8Array, asker: Uint8Array): Promise<Delivered> {
    const failed = this.#sessions.get(id)?.failed
    if (failed) return failed
    const by = decodeExactly(asker, takeAsker)
    if (!by) return unreachable
    const message = { type: 'release', ref: 0, round, asker: by } as const
    return delivered(await this.#state(id, { author: nobody, message }))
  }

  signal(id: SessionId, from: ConnectionId, to: ConnectionId, envelope: Uint8Array): void {
    this.#each(id, (subscriber) => subscriber.signal(from, to, envelope))
    const body = Buffer.alloc(8 + envelope.length)
    body.writeUInt32BE(from)
    body.writeUInt32BE(to, 4)
    body.set(envelope, 8)
    this.#lines.say(id, 'signal', body)
  }

  join(id: SessionId, connection: ConnectionId): void {
    if (!this.#sessions.has(id)) this.#open(id)
    this.#presence.join(id, connection)
  }

  leave(id: SessionId, connection: ConnectionId): void {
    const session = this.#sessions.get(id)
    if (session && this.#presence.leave(id, connection)) this.#release(session)
  }

  present(id: SessionId): Iterable<ConnectionId> {
    return this.#presence.of(id)
  }

  doubt(id: SessionId): void {
    this.#sessions.get(id)?.fail('unreachable')
  }

  async delete(id: SessionId): Promise<Deleted | Unreachable> {
    return this.#store.delete(id)
  }

  /** Whoever listens and then reads misses nothing: what is said from here on is heard, or noticed to be missing. */
  async since(id: SessionId, cursor: Cursor, generation: number): Promise<Answers['since']> {
    const session = this.#sessions.get(id)
    return session ? session.since(cursor, generation) : this.#store.since(id, cursor, generation)
  }

  async settled(): Promise<void> {
    while (this.#appending > 0) await wait(2)
  }

  close(): void {
    clearTimeout(this.#probing)
    this.#failed.clear()
    this.#presence.stop()
    for (const session of this.#sessions.values()) session.close()
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

  #open(id: SessionId): RegionSession {
    const session = new RegionSession(id, this.#surroundings)
    this.#sessions.set(id, session)
    this.#presence.open(id)
    this.#usedToday.note(id)
    return session
  }

  /** Nothing keeps it, but whoever is connected hears it. */
  #pass(id: SessionId, { author, message }: Statement): void {
    if (message.type !== 'append') return
    this.#sessions.get(id)?.tell(author, undefined, message.envelope)
    const body = Buffer.alloc(4 + message.envelope.length)
    body.writeUInt32BE(author)
    body.set(message.envelope, 4)
    this.#lines.say(id, 'loose', body)
  }

  #each(id: SessionId, work: (subscriber: Subscriber) => void): void {
    this.#sessions.get(id)?.each(work)
  }

  #release(session: RegionSession): void {
    const { id } = session
    // Whoever stops late had a session that others began again since: theirs stays.
    if (session.subscribers.size > 0 || this.#presence.hasOwn(id) || this.#sessions.get(id) !== session)
      return
    session.close()
    this.#presence.close(id)
    this.#sessions.delete(id)
    this.#failed.delete(session)
  }

  #noteFailed(session: RegionSession): void {
    this.#failed.add(session)
    this.#probing ??= setTimeout(() => void this.#probe(), this.#probeMs).unref()
  }

  /** Finds out when appends would work again. */
  async #probe(): Promise<void> {
    await Promise.all([...this.#failed].map((session) => this.#recover(session)))
    this.#probing =
      this.#failed.size > 0 ? setTimeout(() => void this.#probe(), this.#probeMs).unref() : undefined
  }

  async #recover(session: RegionSession): Promise<void> {
    const head = await this.#store.head(session.id)
    if (head.outcome === 'refused' || !this.#failed.has(session)) return
    if (head.overQuota) return session.staysFull(head.overQuota)
    this.#failed.delete(session)
    session.recover(head)
  }

  /** While this relay is cut off from NATS its rooms go on by themselves. */
  async #watch({ connection }: Region): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type !== 'disconnect') continue
      for (const session of this.#sessions.values()) session.fail('unreachable')
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
