import { setTimeout as wait } from 'node:timers/promises'
import { decodeExactly } from '../../shared/codec.ts'
import { type Cursor, joinCursors, type Position } from '../../shared/cursor.ts'
import { takeAsker } from '../../shared/escrow.ts'
import type { SessionId } from '../../shared/id.ts'
import type { ConnectionId } from '../../shared/wire.ts'
import type { Bus, Delivered, Subscriber } from '../bus.ts'
import { endOf } from '../catch-up.ts'
import { checksumOf, markOf } from '../hash.ts'
import { type Deleted, entryKinds, type Pages, type Refusal, type Unreachable } from '../store.ts'
import type { Aside, Lines } from './lines.ts'
import type { Became, News } from './news.ts'
import { Presence } from './presence.ts'
import type { Answers } from './questions.ts'
import type { Region } from './region.ts'
import type { RegionStore } from './region-store.ts'
import type { Stated, Statement } from './statement.ts'

interface Session {
  readonly subscribers: Set<Subscriber>
  readonly stop: () => void
  /** Up to here everything that the stream of each origin said was heard, or read. */
  readonly heard: Map<string, number>
  /** Resolves when it is known where the logs end, or that nobody says. */
  readonly begun: Promise<void>
  /** What has to wait for that. */
  early: (() => void)[] | undefined
  /** Everything up to here is committed, and everybody here has heard it. */
  saved: Cursor
  failed: Refusal | undefined
  /** The last position that another region says is committed there, of each origin. */
  readonly elsewhere: Map<string, Position>
  tellingElsewhere: NodeJS.Timeout | undefined
  /** What was not heard is read from the log, and the news of what was saved waits. */
  missing: { again: boolean; saved: Cursor } | undefined
}

const unreachable: Unreachable = { outcome: 'refused', reason: 'unreachable' }
type Ends = Extract<Answers['head'], { outcome: 'heads' }>

const nobody: ConnectionId = 0
const day = 86_400_000
/** How long news from another region waits for more of them. */
const elsewhereMs = 1_000

/** The bus of one relay among others: JetStream numbers the entries, NATS brings them to every relay. */
export class RegionBus implements Bus {
  readonly #region: string
  readonly #lines: Lines
  readonly #store: RegionStore
  readonly #presence: Presence
  readonly #probeMs: number
  readonly #sessions = new Map<SessionId, Session>()
  readonly #failed = new Map<SessionId, Session>()
  #probing: NodeJS.Timeout | undefined
  #appending = 0
  #today = 0
  readonly #usedToday = new Set<SessionId>()

  constructor(region: Region, lines: Lines, store: RegionStore, probeMs = 1000) {
    this.#region = region.name
    this.#lines = lines
    this.#store = store
    this.#probeMs = probeMs
    this.#presence = new Presence(region, lines, {
      joined: (id, connection) => this.#each(id, (subscriber) => subscriber.joined(connection)),
      left: (id, connection) => this.#each(id, (subscriber) => subscriber.left(connection)),
    })
    void this.#watch(region)
  }

  subscribe(id: SessionId, subscriber: Subscriber): () => void {
    const session = this.#sessions.get(id) ?? this.#open(id)
    session.subscribers.add(subscriber)
    if (session.saved.size > 0) subscriber.saved(session.saved)
    if (session.failed) subscriber.log('unreachable')
    return () => {
      session.subscribers.delete(subscriber)
      this.#release(id, session)
    }
  }

  async append(id: SessionId, author: ConnectionId, envelope: Uint8Array): Promise<Delivered> {
    const session = this.#sessions.get(id) ?? this.#open(id)
    if (session.early) await session.begun
    const statement = { author, message: { type: 'append', ref: 0, envelope } } as const
    if (session.failed) {
      this.#pass(id, statement)
      return { outcome: 'refused', reason: session.failed }
    }
    const became = await this.#state(id, statement)
    if (!became) this.#pass(id, statement)
    const answer = delivered(became)
    if (answer.outcome === 'refused') this.#fail(id, session, answer.reason)
    return answer
  }

  async release(id: SessionId, round: Uint8Array, asker: Uint8Array): Promise<Delivered> {
    const failed = this.#sessions.get(id)?.failed
    if (failed) return { outcome: 'refused', reason: failed }
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
    if (session && this.#presence.leave(id, connection)) this.#release(id, session)
  }

  present(id: SessionId): Iterable<ConnectionId> {
    return this.#presence.of(id)
  }

  doubt(id: SessionId): void {
    const session = this.#sessions.get(id)
    if (session) this.#fail(id, session, 'unreachable')
  }

  async delete(id: SessionId): Promise<Deleted | Unreachable> {
    return this.#store.delete(id)
  }

  /** Whoever reads a log after this misses nothing: what is said from here on is heard, or noticed to be missing. */
  async begun(id: SessionId): Promise<void> {
    await this.#sessions.get(id)?.begun
  }

  async settled(): Promise<void> {
    while (this.#appending > 0) await wait(2)
  }

  close(): void {
    clearTimeout(this.#probing)
    this.#failed.clear()
    this.#presence.stop()
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
      stop: this.#lines.listen(id, {
        stated: (...statement) => this.#stated(id, session, ...statement),
        became: (...news) => this.#became(id, session, ...news),
        aside: (kind, body) => this.#aside(id, kind, body),
      }),
      heard: new Map(),
      begun: this.#store.head(id).then((head) => {
        if (this.#sessions.get(id) !== session || session.failed) return
        if (head.outcome === 'refused') this.#fail(id, session, head.reason)
        else this.#begin(session, head)
      }),
      early: [],
      saved: new Map(),
      failed: undefined,
      elsewhere: new Map(),
      tellingElsewhere: undefined,
      missing: undefined,
    }
    this.#sessions.set(id, session)
    this.#presence.open(id)
    this.#noteUse(id)
    return session
  }

  #stated(
    id: SessionId,
    session: Session,
    { author, message }: Statement,
    origin: string,
    sequence: number,
    previous: number,
  ): void {
    if (message.type === 'append') {
      const position = { sequence, mark: markOf(checksumOf(message.envelope)) }
      this.#tell(id, author, session.failed ? undefined : new Map([[origin, position]]), message.envelope)
    }
    this.#onceBegun(session, () => this.#hear(id, session, origin, sequence, previous))
  }

  /** Stores see only what they are asked, and one in a region is; so all are told, once a day. */
  #noteUse(id: SessionId): void {
    const today = Math.floor(Date.now() / day)
    if (today !== this.#today) {
      this.#today = today
      this.#usedToday.clear()
    }
    if (this.#usedToday.has(id)) return
    this.#usedToday.add(id)
    this.#store.noteUse(id)
  }

  #onceBegun(session: Session, work: () => void): void {
    if (session.failed) return // it begins anew
    if (session.early) session.early.push(work)
    else work()
  }

  #hear(id: SessionId, session: Session, origin: string, sequence: number, previous: number): void {
    const before = session.heard.get(origin) ?? 0
    if (previous > before) void this.#readMissing(id, session)
    else if (sequence > before) session.heard.set(origin, sequence)
  }

  #begin(session: Session, { saved, applied }: Ends): void {
    this.#noteApplied(session, applied)
    this.#save(session, saved)
    const early = session.early ?? []
    session.early = undefined
    for (const work of early) work()
  }

  #noteApplied({ heard }: Session, applied: ReadonlyMap<string, number>): void {
    for (const [origin, sequence] of applied) heard.set(origin, Math.max(sequence, heard.get(origin) ?? 0))
  }

  #became(
    id: SessionId,
    session: Session,
    { sequence, of, outcome: became }: News,
    origin: string,
    region: string,
  ): void {
    if (region !== this.#region) return this.#becameElsewhere(id, session, origin, became)
    // Another store of this shard was quicker, and everybody knows.
    const isKnown = sequence <= (session.saved.get(origin)?.sequence ?? 0)
    if (isKnown && became.outcome !== 'deleted') return
    switch (became.outcome) {
      case 'deleted':
        return this.#each(id, (subscriber) => subscriber.deleted())
      case 'refused':
        if (of === 'append') this.#fail(id, session, became.reason)
        return
      case 'released':
      case 'saved': {
        if (session.failed) return
        const place: Cursor = new Map(became.position && [[origin, became.position]])
        // Who hears keys must be able to find them in the log.
        if (became.outcome === 'released')
          this.#each(id, (subscriber) => subscriber.entry(nobody, place, became.body, entryKinds.released))
        // It was said while this relay was cut off from it.
        this.#onceBegun(session, () => {
          if (sequence > (session.heard.get(origin) ?? 0)) void this.#readMissing(id, session)
          else this.#save(session, place)
        })
      }
    }
  }

  #becameElsewhere(id: SessionId, session: Session, origin: string, became: Became): void {
    if (became.outcome !== 'saved') return
    const known = session.elsewhere.get(origin)?.sequence ?? 0
    if (became.position.sequence > known) session.elsewhere.set(origin, became.position)
    // One frame for what comes close together.
    session.tellingElsewhere ??= setTimeout(() => {
      session.tellingElsewhere = undefined
      this.#each(id, (subscriber) => subscriber.savedElsewhere(session.elsewhere))
    }, elsewhereMs).unref()
  }

  #aside(id: SessionId, kind: Aside, body: Uint8Array): void {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
    switch (kind) {
      case 'signal':
        return this.#each(id, (subscriber) =>
          subscriber.signal(bytes.readUInt32BE(0), bytes.readUInt32BE(4), body.subarray(8)),
        )
      case 'loose':
        return this.#tell(id, bytes.readUInt32BE(0), undefined, body.subarray(4))
      case 'who':
        return this.#presence.asked(id)
      case 'joined':
        return this.#presence.heardJoined(id, bytes)
      case 'left':
        return this.#presence.heardLeft(id, bytes)
    }
  }

  /** Nothing keeps it, but whoever is connected hears it. */
  #pass(id: SessionId, { author, message }: Statement): void {
    if (message.type !== 'append') return
    this.#tell(id, author, undefined, message.envelope)
    const body = Buffer.alloc(4 + message.envelope.length)
    body.writeUInt32BE(author)
    body.set(message.envelope, 4)
    this.#lines.say(id, 'loose', body)
  }

  #tell(id: SessionId, author: ConnectionId, at: Cursor | undefined, envelope: Uint8Array): void {
    this.#each(id, (subscriber) => subscriber.entry(author, at, envelope, entryKinds.change))
  }

  #each(id: SessionId, work: (subscriber: Subscriber) => void): void {
    for (const subscriber of [...(this.#sessions.get(id)?.subscribers ?? [])]) work(subscriber)
  }

  /** Reads from the log what the stream said and this relay did not hear. Nothing behind it counts as saved before. */
  async #readMissing(id: SessionId, session: Session): Promise<void> {
    if (session.missing) {
      session.missing.again = true
      return
    }
    const missing = { again: true, saved: session.saved }
    session.missing = missing
    while (missing.again && this.#sessions.get(id) === session) {
      missing.again = false
      const pages = await this.#store.since(id, session.saved, 0)
      if (session.failed) break
      if (pages.outcome === 'deleted') this.#each(id, (subscriber) => subscriber.deleted())
      else if (pages.outcome === 'refused' || !isContinuation(pages, session.saved))
        this.#fail(id, session, 'unreachable') // everybody reads it for themselves, once that is possible
      else {
        if (this.#tellPages(id, session, pages)) missing.again = true
        else this.#noteApplied(session, pages.applied)
      }
    }
    session.missing = undefined
    if (!session.failed) this.#save(session, missing.saved)
  }

  /** True when there is more to be read. */
  #tellPages(id: SessionId, session: Session, pages: Pages): boolean {
    for (const [origin, { entries }] of pages.of) {
      for (const { position, envelope, kind } of entries) {
        const at = new Map([[origin, position]])
        this.#each(id, (subscriber) => subscriber.entry(nobody, at, envelope, kind))
      }
    }
    const end = endOf(pages)
    session.saved = joinCursors(session.saved, end)
    this.#each(id, (subscriber) => subscriber.saved(end))
    return [...pages.of.values()].some(({ more }) => more)
  }

  #save(session: Session, cursor: Cursor): void {
    if (session.missing) session.missing.saved = joinCursors(session.missing.saved, cursor)
    const isNews = ([origin, { sequence }]: [string, { sequence: number }]) =>
      sequence > (session.saved.get(origin)?.sequence ?? 0)
    const saved: Cursor = new Map([...cursor].filter(isNews))
    if (session.missing || saved.size === 0) return
    session.saved = joinCursors(session.saved, saved)
    for (const subscriber of session.subscribers) subscriber.saved(saved)
  }

  #release(id: SessionId, session: Session): void {
    if (session.subscribers.size > 0 || this.#presence.hasOwn(id)) return
    session.stop()
    clearTimeout(session.tellingElsewhere)
    this.#presence.close(id)
    this.#sessions.delete(id)
    this.#failed.delete(id)
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
    session.heard.clear()
    this.#failed.delete(id)
    session.saved = head.saved
    session.early = []
    for (const subscriber of session.subscribers) {
      if (head.saved.size > 0) subscriber.saved(head.saved)
      subscriber.log('kept')
    }
    this.#begin(session, head)
  }

  /** While this relay is cut off from NATS its rooms go on by themselves. */
  async #watch({ connection }: Region): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type !== 'disconnect') continue
      for (const [id, session] of this.#sessions) this.#fail(id, session, 'unreachable')
    }
  }
}

/** False when the log is another one than the cursor was in, or what it covers is gone into a snapshot. */
function isContinuation({ resumed, of }: Pages, cursor: Cursor): boolean {
  return (resumed || cursor.size === 0) && [...of.values()].every(({ snapshot }) => !snapshot)
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
