import { setTimeout as wait } from 'node:timers/promises'
import { deserialize, serialize } from 'node:v8'
import {
  type ConsumerMessages,
  JetStreamApiError,
  type JetStreamManager,
  type JsMsg,
} from '@nats-io/jetstream'
import type { Msg, Subscription } from '@nats-io/transport-node'
import { encodeAsker, saltBytes } from '../../shared/escrow.ts'
import { parseSessionId, type SessionId } from '../../shared/id.ts'
import { checksumOf, markOf } from '../hash.ts'
import { type Appended, type EntryKind, entryKinds, inStreamOrder, type Store } from '../store.ts'
import { type Became, encodeNews, type News } from './news.ts'
import { logOf, type Region, streamOf } from './region.ts'
import type { Answers, Question } from './region-store.ts'
import { decodeStatement, type Stated } from './statement.ts'

/** Statements that are committed together at most. */
const portion = 500
const retryMs = 1_000
const triesAlone = 3
const noteEveryMs = 1_000
/** How long a question waits for the store to have applied what the stream holds. */
const patience = 4_000

/** How far a store has read the stream, kept with what it read. */
export interface Applied {
  read(): Promise<number>
  write(sequence: number): Promise<void>
}

interface Task {
  readonly session: SessionId
  readonly sequence: number
  readonly message: Stated
}

/** What was read from the stream; without a task when it says nothing that this version understands. */
interface Reading {
  readonly sequence: number
  readonly task: Task | undefined
}

const unreachable = { outcome: 'refused', reason: 'unreachable' } as const

/** A store of a region: does what the stream says, tells the rooms what became of it, and answers what relays ask. */
export class StoreService {
  readonly #region: Region
  readonly #store: Store
  readonly #applied: Applied
  readonly #manager: JetStreamManager
  readonly #messages: ConsumerMessages
  readonly #questions: Subscription
  readonly #waiting: Reading[] = []
  readonly #done: Promise<void>
  #upTo: number
  #notedAt = 0
  #atWork = false
  #stopped = false
  #reached: (() => void)[] = []

  private constructor(
    region: Region,
    store: Store,
    applied: Applied,
    manager: JetStreamManager,
    messages: ConsumerMessages,
    upTo: number,
  ) {
    this.#region = region
    this.#store = store
    this.#applied = applied
    this.#manager = manager
    this.#messages = messages
    this.#upTo = upTo
    this.#questions = region.connection.subscribe(`ask.${region.name}.*`, {
      queue: 'store',
      callback: (error, message) => {
        // Whoever asked something else, or is gone, gets no answer in time.
        if (!error) this.#answer(message).catch(() => {})
      },
    })
    this.#done = this.#read()
  }

  static async start(region: Region, store: Store, applied: Applied): Promise<StoreService> {
    const upTo = await applied.read()
    const manager = await region.stream.jetstreamManager()
    const consumer = await region.stream.consumers.get(streamOf(region.name), { opt_start_seq: upTo + 1 })
    const messages = await consumer.consume({ max_messages: 4 * portion })
    const service = new StoreService(region, store, applied, manager, messages, upTo)
    await region.connection.flush() // from here on relays find it
    return service
  }

  /** Finishes what it has begun. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#questions.unsubscribe()
    await this.#messages.close()
    await this.#done
    while (this.#atWork) await wait(5)
    await this.#applied.write(this.#upTo)
  }

  async #read(): Promise<void> {
    for await (const message of this.#messages) {
      this.#waiting.push({ sequence: message.seq, task: taskOf(message) })
      if (!this.#atWork) void this.#work()
    }
  }

  async #work(): Promise<void> {
    this.#atWork = true
    while (this.#waiting.length > 0 && !this.#stopped) {
      await new Promise((resolve) => setImmediate(resolve)) // what has arrived already comes along
      const readings = this.#waiting.splice(0, portionOf(this.#waiting))
      let left: readonly Task[] = readings.flatMap(({ task }) => task ?? [])
      for (let tries = 1; left.length > 0 && !this.#stopped; tries++) {
        left = await this.#try(left)
        // The disk works, and something is wrong with these sessions alone.
        if (tries >= triesAlone && (await this.#store.check()).outcome === 'ready') break
      }
      const last = readings.at(-1)
      if (last && !this.#stopped) this.#reach(last.sequence)
    }
    this.#atWork = false
  }

  /** Returns what has to be tried again: nothing that comes after it is done before. */
  async #try(tasks: readonly Task[]): Promise<readonly Task[]> {
    const became = await Promise.all(tasks.map((task) => this.#do(task)))
    const news = new Map<SessionId, News[]>()
    tasks.forEach(({ session, sequence, message }, at) => {
      const own = news.get(session) ?? []
      news.set(session, own)
      own.push({ sequence, of: message.type, outcome: became[at] ?? unreachable })
    })
    const { connection } = this.#region
    for (const [session, own] of news) connection.publish(`room.${session}.news`, encodeNews(own))
    const left = tasks.filter((_, at) => isStuck(became[at] ?? unreachable))
    if (left.length > 0) await wait(retryMs)
    return left
  }

  async #do({ session, sequence, message }: Task): Promise<Became> {
    switch (message.type) {
      case 'append':
        return this.#append(session, sequence, entryKinds.change, message.envelope)
      case 'snapshot':
        return this.#store.putSnapshot(session, message)
      case 'deposit':
        return this.#store.deposit(session, message)
      case 'delete':
        void this.#forget(session, sequence)
        return this.#store.delete(session)
      case 'release': {
        const salt = checksumOf(Buffer.from(`${this.#region.origin} ${sequence}`)).subarray(0, saltBytes)
        const release = await this.#store.release(session, message.round, encodeAsker(message.asker), salt)
        if (release.outcome !== 'released') return release
        const appended = await this.#append(session, sequence, entryKinds.released, release.body)
        if (appended.outcome !== 'saved' && appended.outcome !== 'duplicate') return appended
        const position = appended.outcome === 'saved' ? appended.position : undefined
        return { outcome: 'released', position, body: release.body }
      }
    }
  }

  async #append(
    session: SessionId,
    sequence: number,
    kind: EntryKind,
    envelope: Uint8Array,
  ): Promise<Became> {
    const checksum = checksumOf(envelope)
    const entry = { sequence, previous: inStreamOrder, checksum, kind, envelope }
    const appended: Appended = await this.#store.append(session, entry)
    const position = { sequence, mark: markOf(checksum) }
    if (appended.outcome === 'saved') return { outcome: 'saved', position, compact: appended.compact }
    // The same sequence: this store had begun it when it was stopped.
    if (appended.outcome === 'duplicate' && appended.of === sequence)
      return { outcome: 'saved', position, compact: undefined }
    return appended.outcome === 'duplicate' ? { outcome: 'duplicate' } : appended
  }

  /** The stream keeps only the deletion itself, for stores that are behind. */
  async #forget(session: SessionId, sequence: number): Promise<void> {
    const { name } = this.#region
    await this.#manager.streams
      .purge(streamOf(name), { filter: logOf(name, session), seq: sequence })
      .catch(() => {}) // it is gone from the ring within a day in any case
  }

  #reach(sequence: number): void {
    this.#upTo = sequence
    // What is read again after a crash is known by its sequence.
    if (performance.now() - this.#notedAt > noteEveryMs) {
      this.#notedAt = performance.now()
      void this.#applied.write(sequence)
    }
    for (const resolve of this.#reached.splice(0)) resolve()
  }

  async #answer(message: Msg): Promise<void> {
    const question = deserialize(message.data) as Question
    message.respond(serialize(await this.#answerTo(question)))
  }

  async #answerTo(question: Question): Promise<Answers[Question['type']]> {
    if (question.type === 'check') return this.#store.check()
    if (!(await this.#hasApplied(question.session))) return unreachable
    if (question.type === 'head') return this.#store.head(question.session)
    return this.#store.since(question.session, question.cursor, question.generation)
  }

  /** False when the stream holds something of this session that this store could not apply in time. */
  async #hasApplied(session: SessionId): Promise<boolean> {
    const last = await this.#lastOf(session)
    if (last === undefined) return false
    const end = performance.now() + patience
    while (this.#upTo < last) {
      if (performance.now() > end || this.#stopped) return false
      await Promise.race([new Promise<void>((resolve) => this.#reached.push(resolve)), wait(100)])
    }
    return true
  }

  async #lastOf(session: SessionId): Promise<number | undefined> {
    const { name } = this.#region
    try {
      const last = await this.#manager.streams.getMessage(streamOf(name), {
        last_by_subj: logOf(name, session),
      })
      return last?.seq ?? 0
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === 10037) return 0 // there is no message
      return undefined
    }
  }
}

function taskOf({ seq, subject, data }: JsMsg): Task | undefined {
  const session = parseSessionId(subject.split('.')[3] ?? '')
  const statement = decodeStatement(data)
  return session && statement ? { session, sequence: seq, message: statement.message } : undefined
}

/** Appends go into one transaction; a release needs all before it, and nothing after it. */
function portionOf(waiting: readonly Reading[]): number {
  const release = waiting.findIndex(({ task }) => task?.message.type === 'release')
  if (release === 0) return 1
  return Math.min(portion, release < 0 ? waiting.length : release)
}

function isStuck(became: Became): boolean {
  return became.outcome === 'refused' && became.reason !== 'quota'
}
