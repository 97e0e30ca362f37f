import type { Msg, Subscription } from '@nats-io/transport-node'
import type { SessionId } from '../../shared/id.ts'
import { type Became, decodeNews, type News } from './news.ts'
import { logOf, type Region } from './region.ts'
import { decodeStatement, encodeStatement, type Statement } from './statement.ts'

/** What is said from relay to relay, and kept nowhere. */
export const asides = ['signal', 'joined', 'left', 'who', 'loose'] as const
export type Aside = (typeof asides)[number]

export interface Listener {
  /** A statement is in the stream. `previous` is the sequence before it in the same session. */
  stated(statement: Statement, sequence: number, previous: number): void
  became(news: News): void
  aside(kind: Aside, body: Uint8Array): void
}

/** Of a statement that no store has answered, in milliseconds. It stays in the stream. */
const patience = 5_000
const publishTimeout = 2_000
/** An announcement of the stream that comes later than the store's is not waited for. */
const latenessMs = 250

const unreachable: Became = { outcome: 'refused', reason: 'unreachable' }

interface Line {
  readonly subscription: Subscription
  readonly listeners: Set<Listener>
  /** By the sequence of what was stated here. */
  readonly waiting: Map<number, (became: Became) => void>
  /** What became of statements whose sequence is not known here yet. */
  readonly unclaimed: Map<number, Became>
  /** Statements made here that are not answered. */
  open: number
  /** The last sequence heard from the stream. */
  heard: number
  /** News of statements that were not heard yet: stores may be quicker than the stream's own announcement. */
  early: News[]
  hurrying: NodeJS.Timeout | undefined
}

/** One subscription for each session that somebody here listens to or speaks in. */
export class Lines {
  readonly #region: Region
  readonly #lines = new Map<SessionId, Line>()

  constructor(region: Region) {
    this.#region = region
  }

  /** Returns the stop. */
  listen(session: SessionId, listener: Listener): () => void {
    const line = this.#line(session)
    line.listeners.add(listener)
    return () => {
      line.listeners.delete(listener)
      this.#release(session, line)
    }
  }

  /** Resolves with what a store made of it. Undefined: the stream did not take it. */
  async state(session: SessionId, statement: Statement): Promise<Became | undefined> {
    const line = this.#line(session)
    line.open++
    try {
      const bytes = encodeStatement(statement)
      const ack = await this.#publish(session, bytes)
      if (!ack) return undefined
      const known = line.unclaimed.get(ack.seq)
      if (known) return known
      return await this.#answer(line, ack.seq)
    } finally {
      line.open--
      if (line.open === 0) line.unclaimed.clear()
      this.#release(session, line)
    }
  }

  /** To the other relays. */
  say(session: SessionId, kind: Aside, body: Uint8Array): void {
    const { connection } = this.#region
    if (!connection.isClosed()) connection.publish(`room.${session}.${kind}`, body)
  }

  async #publish(session: SessionId, bytes: Uint8Array) {
    const { name, stream } = this.#region
    try {
      return await stream.publish(logOf(name, session), bytes, { timeout: publishTimeout })
    } catch {
      return undefined // no JetStream, no NATS, no room in the ring: it has to be said again in any case
    }
  }

  #answer(line: Line, sequence: number): Promise<Became> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => finish(unreachable), patience)
      const finish = (became: Became) => {
        clearTimeout(timer)
        if (line.waiting.get(sequence) === finish) line.waiting.delete(sequence)
        resolve(became)
      }
      line.waiting.set(sequence, finish)
    })
  }

  #line(session: SessionId): Line {
    const open = this.#lines.get(session)
    if (open) return open
    const subscription = this.#region.connection.subscribe(`room.${session}.>`, {
      callback: (error, message) => {
        if (!error) this.#hear(line, message)
      },
    })
    const line: Line = {
      subscription,
      listeners: new Set(),
      waiting: new Map(),
      unclaimed: new Map(),
      open: 0,
      heard: 0,
      early: [],
      hurrying: undefined,
    }
    this.#lines.set(session, line)
    return line
  }

  #release(session: SessionId, line: Line): void {
    if (line.listeners.size > 0 || line.open > 0 || this.#lines.get(session) !== line) return
    line.subscription.unsubscribe()
    clearTimeout(line.hurrying)
    this.#lines.delete(session)
  }

  #hear(line: Line, { subject, data, headers }: Msg): void {
    const kind = subject.split('.')[2]
    if (kind === 'log') {
      const statement = decodeStatement(data)
      const [sequence, previous] = ['Nats-Sequence', 'Nats-Last-Sequence'].map((name) =>
        Number(headers?.get(name)),
      )
      if (!statement || !sequence || previous === undefined) return
      line.heard = sequence
      for (const listener of line.listeners) listener.stated(statement, sequence, previous)
      if (line.early.length > 0) this.#tellEarly(line, sequence)
    } else if (kind === 'news') this.#take(line, decodeNews(data))
    else {
      const aside = asides.find((name) => name === kind)
      if (aside) for (const listener of line.listeners) listener.aside(aside, data)
    }
  }

  #take(line: Line, news: readonly News[]): void {
    line.early.push(...news)
    this.#tellEarly(line, line.heard)
    // Nobody here heard of a statement that was made before they listened.
    if (line.early.length > 0)
      line.hurrying ??= setTimeout(() => this.#tellEarly(line, Number.POSITIVE_INFINITY), latenessMs).unref()
  }

  #tellEarly(line: Line, upTo: number): void {
    const late = line.early.filter(({ sequence }) => sequence > upTo)
    const due = line.early.filter(({ sequence }) => sequence <= upTo)
    line.early = late
    if (late.length === 0) {
      clearTimeout(line.hurrying)
      line.hurrying = undefined
    }
    this.#tell(line, due)
  }

  #tell(line: Line, news: readonly News[]): void {
    for (const one of news) {
      for (const listener of line.listeners) listener.became(one)
      const finish = line.waiting.get(one.sequence)
      if (finish) finish(one.outcome)
      else if (line.open > 0) line.unclaimed.set(one.sequence, one.outcome)
    }
  }
}
