import type { Msg, Subscription } from '@nats-io/transport-node'
import type { SessionId } from '../../shared/id.ts'
import { unreachable } from '../store/store.ts'
import { type Became, type Bulletin, decodeBulletin, type News } from './news.ts'
import type { Region } from './region.ts'
import { decodeStatement, encodeStatement, type Statement } from './statement.ts'
import { logOf, originOf } from './streams.ts'
import { noteTrace, traceHeadersOf } from './trace-headers.ts'

/** What is said from relay to relay, and kept nowhere. */
const asides = ['signal', 'joined', 'left', 'here', 'who', 'loose'] as const
export type Aside = (typeof asides)[number]

export interface Listener {
  /** A statement is in the stream of an origin. `previous` is the sequence before it in the same session. */
  stated(statement: Statement, origin: string, sequence: number, previous: number): void
  /** What a store of that region made of it. */
  became(news: News, origin: string, region: string): void
  aside(kind: Aside, body: Uint8Array): void
}

/** Of a statement that no store has answered, in milliseconds. It stays in the stream. */
const patience = 5_000
const publishTimeout = 2_000
/** An announcement of the stream that comes later than the store's is not waited for. */
const latenessMs = 250

interface Told {
  readonly news: News
  readonly origin: string
  readonly region: string
}

interface Unclaimed {
  readonly became: Became
  readonly heardAt: number
}

interface Line {
  readonly subscription: Subscription
  readonly listeners: Set<Listener>
  /** By the place of what was stated here. */
  readonly waiting: Map<string, (became: Became) => void>
  /** What became of statements whose place is not known here yet, in the order in which it was heard. */
  readonly unclaimed: Map<string, Unclaimed>
  /** Statements made here that are not answered. */
  open: number
  /** The last sequence heard from each origin's stream. */
  readonly heard: Map<string, number>
  /** News of statements that were not heard yet: stores may be quicker than the stream's own announcement. */
  early: Told[]
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
    const { connection } = this.#region
    if (connection.isClosed() || connection.isDraining()) return undefined // this process ends
    const line = this.#line(session)
    line.open++
    try {
      const ack = await this.#publish(session, statement)
      if (!ack) return undefined
      const place = placeOf(originOf(ack.stream), ack.seq)
      return line.unclaimed.get(place)?.became ?? (await this.#answer(line, place))
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

  async #publish(session: SessionId, statement: Statement) {
    const { name, stream, traces, isConnected } = this.#region
    if (!isConnected) return undefined // it would be kept and said later, when whoever made it has been told that it was not
    const { message } = statement
    const bytes = encodeStatement(statement)
    const along = traceHeadersOf(traces, message)
    try {
      const ack = await stream.publish(logOf(name, session), bytes, { timeout: publishTimeout, ...along })
      if (message.type === 'append') traces?.published(message.envelope)
      return ack
    } catch {
      return undefined // no JetStream, no NATS, no room in the ring: it has to be said again in any case
    }
  }

  #answer(line: Line, place: string): Promise<Became> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => finish(unreachable), patience)
      const finish = (became: Became) => {
        clearTimeout(timer)
        if (line.waiting.get(place) === finish) line.waiting.delete(place)
        resolve(became)
      }
      line.waiting.set(place, finish)
    })
  }

  #line(session: SessionId): Line {
    const open = this.#lines.get(session)
    if (open) return open
    const subscription = this.#region.connection.subscribe(`room.${session}.>`, {
      callback: (error, message) => {
        if (error) return
        try {
          this.#hear(line, message)
        } catch {
          // Nothing that this version understands. What is thrown from here would end the connection to NATS.
        }
      },
    })
    const line: Line = {
      subscription,
      listeners: new Set(),
      waiting: new Map(),
      unclaimed: new Map(),
      open: 0,
      heard: new Map(),
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
      const origin = originOf(headers?.get('Nats-Stream') ?? '')
      noteTrace(this.#region.traces, statement.message, headers)
      line.heard.set(origin, sequence)
      for (const listener of line.listeners) listener.stated(statement, origin, sequence, previous)
      if (line.early.length > 0) this.#tellEarly(line)
    } else if (kind === 'news') this.#take(line, decodeBulletin(data))
    else {
      const aside = asides.find((name) => name === kind)
      if (aside) for (const listener of line.listeners) listener.aside(aside, data)
    }
  }

  #take(line: Line, { news, origin, region }: Bulletin): void {
    for (const one of news) line.early.push({ news: one, origin, region })
    this.#tellEarly(line)
    // Nobody here heard of a statement that was made before they listened, or behind a link that was cut.
    if (line.early.length > 0)
      line.hurrying ??= setTimeout(() => this.#tellEarly(line, true), latenessMs).unref()
  }

  #tellEarly(line: Line, isLate = false): void {
    const isDue = ({ news, origin }: Told) => isLate || news.sequence <= (line.heard.get(origin) ?? 0)
    const due = line.early.filter(isDue)
    line.early = line.early.filter((told) => !isDue(told))
    if (line.early.length === 0) {
      clearTimeout(line.hurrying)
      line.hurrying = undefined
    }
    for (const told of due) this.#tell(line, told)
  }

  #tell(line: Line, { news, origin, region }: Told): void {
    for (const listener of line.listeners) listener.became(news, origin, region)
    if (region !== this.#region.name) return
    const place = placeOf(origin, news.sequence)
    const finish = line.waiting.get(place)
    if (finish) finish(news.outcome)
    else if (line.open > 0) keepUnclaimed(line, place, news.outcome)
  }
}

/** Only for as long as somebody may still learn that it is theirs: others may speak in a session without a break. */
function keepUnclaimed({ unclaimed }: Line, place: string, became: Became): void {
  const now = performance.now()
  for (const [other, { heardAt }] of unclaimed) {
    if (heardAt > now - publishTimeout) break
    unclaimed.delete(other)
  }
  unclaimed.delete(place) // a map would leave it where it was
  unclaimed.set(place, { became, heardAt: now })
}

function placeOf(origin: string, sequence: number): string {
  return `${origin} ${sequence}`
}
