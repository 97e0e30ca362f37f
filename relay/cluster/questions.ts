import { setTimeout as wait } from 'node:timers/promises'
import { deserialize, serialize } from 'node:v8'
import type { Msg, Subscription } from '@nats-io/transport-node'
import type { Cursor } from '../../shared/cursor.ts'
import { parseSessionId, type SessionId } from '../../shared/id.ts'
import { shardCount, shardOf } from '../store/shard.ts'
import {
  type Compaction,
  type Deleted,
  type Page,
  type Pages,
  type Unreachable,
  unreachable,
} from '../store/store.ts'
import type { Kept } from './kept.ts'
import { askForPieces, respondInPieces } from './pieces.ts'
import type { Region } from './region.ts'
import type { Served } from './services.ts'
import { regionOf } from './streams.ts'

/** What relays ask stores, and a store that is behind the others. What is to be changed goes through the stream instead. */
export type Question = Asked & { readonly isPassedOn?: true }

/** About a session. */
type LogQuestion = Exclude<Question, { type: 'check' }>

type Asked =
  | {
      readonly type: 'since'
      readonly session: SessionId
      readonly cursor: Cursor
      readonly generation: number
    }
  | { readonly type: 'head'; readonly session: SessionId }
  | { readonly type: 'check' }

/** Where a session's logs end, of each origin. */
export interface Heads {
  readonly outcome: 'heads'
  readonly saved: Cursor
  /** Of the log of the region's own stream, the only one that its relays add to. */
  readonly overQuota: Compaction | undefined
}

/** The last sequence of the session in each stream: everything up to there is part of the answer. */
interface Applied {
  readonly applied: ReadonlyMap<string, number>
}

export interface Answers {
  since: (Pages & Applied) | Deleted | Unreachable
  head: (Heads & Applied) | Unreachable
  check: { readonly outcome: 'ready' } | Unreachable
}

/** A store that has not applied by then what a question needs asks another one, too. */
const behindMs = 500
/** Of one that is asked by another one, which waits as long as whoever asked that. */
const otherMs = 4_000
/** What others have read further of a lost stream is waited for so long, and asked for so often: some may lack it, too. */
const further = { ms: 2_000, tries: 4 } as const
/** How long what was asked before a store stops may take to arrive. */
const drainMs = 1_000

export function subjectOf(region: string, shard: number | '*'): string {
  return `ask.${region}.${shard}`
}

/** Of the stores that keep a shard one is asked. */
export const askedGroup = 'store'

/** Answers what relays of the region ask about sessions, from all origins together. */
export class Questions {
  readonly #region: Region
  readonly #origins: { readonly all: Iterable<Kept> }
  readonly #subscriptions: Subscription[]
  readonly served: Served = { requests: 0, errors: 0, milliseconds: 0 }
  readonly #answering = new Set<Promise<void>>()

  constructor(region: Region, origins: { readonly all: Iterable<Kept> }, kept: ReadonlySet<number>) {
    const { connection, name } = region
    this.#region = region
    this.#origins = origins
    const callback = (error: Error | null, message: Msg) => {
      // Whoever asked something else, or is gone, gets no answer in time.
      if (!error) this.#note(this.#answer(message).catch(() => void this.served.errors++))
    }
    const asked = kept.size === shardCount ? (['*'] as const) : [...kept]
    this.#subscriptions = asked.map((shard) =>
      connection.subscribe(subjectOf(name, shard), { queue: askedGroup, callback }),
    )
    // Not only the one that is asked, and in every origin: a session that is read in one place is kept in all.
    const used = connection.subscribe('used', { callback: (_, message) => void this.#used(message.string()) })
    this.#subscriptions.push(used)
  }

  /** From here on the region's other stores are asked; what has come here is answered. */
  async stop(): Promise<void> {
    const drained = Promise.allSettled(this.#subscriptions.map((subscription) => subscription.drain()))
    await Promise.race([drained, wait(drainMs, undefined, { ref: false })]) // without NATS it is never done
    await Promise.all(this.#answering)
  }

  #note(answering: Promise<void>): void {
    this.#answering.add(answering)
    answering.finally(() => this.#answering.delete(answering))
  }

  async #used(id: string): Promise<void> {
    const session = parseSessionId(id)
    if (session) for (const { store } of this.#origins.all) await store.head(session)
  }

  async #answer(message: Msg): Promise<void> {
    const begun = performance.now()
    this.served.requests++
    respondInPieces(message, serialize(await this.#answerTo(deserialize(message.data))))
    this.served.milliseconds += performance.now() - begun
  }

  async #answerTo(question: Question): Promise<Answers[Question['type']]> {
    const kept = [...this.#origins.all]
    if (question.type === 'check') {
      const checks = await Promise.all(kept.map(({ store }) => store.check()))
      return checks.find(({ outcome }) => outcome !== 'ready') ?? { outcome: 'ready' }
    }
    if (kept.some(({ lacked }) => lacked.has(shardOf(question.session)))) {
      if (question.isPassedOn) return unreachable
      const answer = await this.#askFurther(question)
      if (answer) return answer
    }
    const reached = Promise.all(kept.map((one) => appliedIn(one, question.session)))
    const own = reached.then((applied) => answerFrom(this.#region.name, kept, question, applied))
    if (question.isPassedOn || (await isDoneWithin(behindMs, reached))) return own
    return Promise.any([useful(own), useful(this.#askOther(question))]).catch(() => own)
  }

  /** Undefined when nobody answers in time who lacks nothing. */
  async #askFurther(question: LogQuestion): Promise<Answers[LogQuestion['type']] | undefined> {
    const end = performance.now() + further.ms
    for (let tries = 0; tries < further.tries && performance.now() < end; tries++) {
      const answer = await this.#askOther(question, further.ms).catch(() => undefined)
      if (answer && answer.outcome !== 'refused') return answer
    }
    return undefined
  }

  /** Rejects at once when there is none. Nobody is brought what they say themselves, and so another one of the group gets it. */
  async #askOther(question: LogQuestion, timeout = otherMs): Promise<Answers[LogQuestion['type']]> {
    const { connection, name } = this.#region
    const subject = subjectOf(name, shardOf(question.session))
    const passedOn = serialize({ ...question, isPassedOn: true } satisfies Question)
    return deserialize(await askForPieces(connection, subject, passedOn, timeout))
  }
}

async function answerFrom(
  region: string,
  kept: readonly Kept[],
  question: LogQuestion,
  reached: readonly (readonly [string, number | undefined])[],
): Promise<Answers[LogQuestion['type']]> {
  const applied = new Map<string, number>()
  for (const [origin, last] of reached) {
    if (last === undefined) return unreachable
    applied.set(origin, last)
  }
  const answer = await (question.type === 'head'
    ? headsOf(region, kept, question.session)
    : since(kept, question))
  return answer.outcome === 'heads' || answer.outcome === 'pages' ? { ...answer, applied } : answer
}

/** Rejects when it says nothing of the log. */
async function useful<Answer extends { readonly outcome: string }>(asked: Promise<Answer>): Promise<Answer> {
  const answer = await asked
  if (answer.outcome === 'refused') throw new Error('Nothing to be read there')
  return answer
}

function isDoneWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms)
    const done = () => {
      clearTimeout(timer)
      resolve(true)
    }
    work.then(done, done)
  })
}

async function appliedIn({ store, follower }: Kept, session: SessionId) {
  return [store.origin, follower ? await follower.applied(session) : 0] as const
}

async function headsOf(
  region: string,
  kept: readonly Kept[],
  session: SessionId,
): Promise<Heads | Unreachable> {
  const saved = new Map()
  let overQuota: Compaction | undefined
  for (const { store, follower } of kept) {
    const head = await store.head(session)
    if (head.outcome === 'refused') return head
    if (head.saved) saved.set(store.origin, head.saved)
    if (follower && regionOf(store.origin) === region) overQuota = head.overQuota
  }
  return { outcome: 'heads', saved, overQuota }
}

async function since(
  kept: readonly Kept[],
  { session, cursor, generation }: Extract<Question, { type: 'since' }>,
): Promise<Pages | Deleted | Unreachable> {
  const pages = new Map<string, Page>()
  for (const { store } of kept) {
    const page = await store.since(session, cursor, generation)
    if (page.outcome !== 'page') return page
    pages.set(store.origin, page)
  }
  // A place that is nowhere here, as behind a cut link: what stands before it may be missing, too.
  const resumed = cursor.size > 0 && [...cursor.keys()].every((origin) => pages.get(origin)?.resumed)
  if (!resumed && cursor.size > 0)
    return since(kept, { type: 'since', session, cursor: new Map(), generation })
  return { outcome: 'pages', resumed, of: new Map([...pages].filter(([, { upTo }]) => upTo)) }
}
