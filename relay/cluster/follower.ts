import { setTimeout as wait } from 'node:timers/promises'
import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream'
import { parseSessionId, type SessionId } from '../../shared/id.ts'
import { shardOf } from '../store/shard.ts'
import type { Store } from '../store/store.ts'
import type { Reached } from '../store/store-protocol.ts'
import { Applier, makesRoom, portionOf, type Task } from './applier.ts'
import { Losses } from './losses.ts'
import type { Region } from './region.ts'
import { decodeStatement, echo } from './statement.ts'
import { StreamEnd } from './stream-end.ts'
import { isStreamGone, lastOf, streamOf } from './streams.ts'
import { noteTrace } from './trace-headers.ts'

/** Statements that NATS brings unasked at most. */
const mostOnTheWay = 2_000
const retryMs = 1_000
/** How often NATS is asked for more. Of a question or its answers that were lost the client knows after as long. */
const askAgainMs = 10_000
const triesAlone = 3
/** So often in a row NATS may refuse to bring something before that is said: while it starts, it does. */
const failuresUnsaid = 5
const noteEveryMs = 1_000
/** A store that stands still keeps so many bytes of what comes, and reads the rest again later: the stream has it. */
const mostWaitingBytes = 32 << 20
/** How long a question waits for the store to have applied what the stream holds. */
const patience = 4_000

/** A store that also keeps how far it has read its stream. */
export interface OriginStore extends Store {
  applied(): Promise<Reached>
  noteApplied(reached: Reached): Promise<void>
  forget(): Promise<void>
}

/** What was read from the stream; without a task when it says nothing that this store understands or keeps. */
interface Reading extends Reached {
  readonly bytes: number
  task: Task | undefined
}

export interface Following {
  /** A store that stands still keeps about so many bytes of what comes. */
  readonly mostBytes?: number
  /** What the stream has no more before the first message that comes is not missed: it was looked for in vain. */
  readonly isGivenUp?: boolean
  /** The first message behind a gap, where that is known already. */
  readonly gapEnd?: number | undefined
  /** Told of each session that is deleted. */
  readonly deleted?: (session: SessionId) => void
  /** Told once why NATS, which is there, brings nothing, and again when that happens after it has brought something. */
  readonly failed?: (error: unknown) => void
}

/** Does in one store what the stream of its origin says, this region's own or a mirror, and tells the rooms what became of it. */
export class Follower {
  readonly #region: Region
  readonly #store: OriginStore
  readonly #shards: ReadonlySet<number>
  readonly #mostBytes: number
  readonly #applier: Applier
  readonly #failed: (error: unknown) => void
  readonly #losses: Losses
  readonly #end: StreamEnd
  readonly #stopping = new AbortController()
  readonly #waiting: Reading[] = []
  #messages: ConsumerMessages
  #done: Promise<void>
  #reached: Reached
  #waitingBytes = 0
  /** How often NATS refused to bring something since it last did. */
  #failures = 0
  /** What was read last. */
  #last: Reached
  /** Where the stream has to be read again, because too much waits, and how much of it was passed over since. */
  #left: { readonly from: number; messages: number } | undefined
  /** Deletions among that. */
  #ahead: Task[] = []
  #isGivenUp: boolean
  /** The first sequence behind what the stream lost before it was read here. Nothing is read on. */
  #gapEnd: number | undefined
  /** Messages in the stream behind the last one that came here. */
  #pending = 0
  #noting: NodeJS.Timeout | undefined
  #atWork = false
  readonly #awaiting = new Set<() => void>()

  private constructor(
    region: Region,
    store: OriginStore,
    shards: ReadonlySet<number>,
    messages: ConsumerMessages,
    reached: Reached,
    end: StreamEnd,
    {
      mostBytes = mostWaitingBytes,
      isGivenUp = false,
      gapEnd,
      deleted = () => {},
      failed = () => {},
    }: Following,
  ) {
    this.#region = region
    this.#store = store
    this.#shards = shards
    this.#messages = messages
    this.#reached = reached
    this.#last = reached
    this.#end = end
    this.#mostBytes = mostBytes
    this.#isGivenUp = isGivenUp
    this.#gapEnd = gapEnd
    if (gapEnd !== undefined) messages.stop()
    this.#applier = new Applier(region, store, deleted)
    this.#failed = failed
    this.#losses = new Losses(region, store.origin)
    this.#done = this.#read()
  }

  static async start(
    region: Region,
    store: OriginStore,
    shards: ReadonlySet<number>,
    following: Following = {},
  ): Promise<Follower> {
    const reached = await store.applied()
    const end = await StreamEnd.after(region, store.origin, reached)
    const messages = await messagesFrom(region, store, reached.sequence + 1)
    return new Follower(region, store, shards, messages, reached, end, following)
  }

  get upTo(): number {
    return this.#reached.sequence
  }

  /** Messages of the stream that are not applied yet. */
  get lag(): number {
    return this.#pending + this.#waiting.length + (this.#left?.messages ?? 0)
  }

  /** Bytes of statements that wait in this process. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /**
   * The first sequence behind a gap: what came before it the stream lost while this store stood still, or its mirror was cut off.
   * Undefined until everything before the gap is applied. This reads no further: the gap has to be filled from other stores.
   */
  get gapEnd(): number | undefined {
    return this.#waiting.length === 0 && !this.#atWork ? this.#gapEnd : undefined
  }

  /** Whether the stream has lost what this store has to read next. */
  async isOvertaken(): Promise<boolean> {
    const isBehind = this.#gapEnd !== undefined || this.#left !== undefined
    return isBehind && (await this.#losses.areBehind(this.upTo))
  }

  /** Whether its region's stream ends before what was read of it here, or goes on otherwise. */
  lostItsEnd(): Promise<boolean> {
    return this.#end.look(this.#last)
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  /** Finishes what it has begun. */
  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#stopping.abort()
    await this.#messages.close()
    await this.#done
    while (this.#atWork) await wait(5)
    clearTimeout(this.#noting)
    await this.#store.noteApplied(this.#reached)
  }

  /** Has its store write down how far it has read, unless it is stopped: then others may know better. */
  async note(): Promise<void> {
    if (!this.#isStopped) await this.#store.noteApplied(this.#reached)
  }

  /**
   * Waits until everything is applied that the stream holds of this session now, and returns the sequence of the last of it. Undefined
   * when that takes too long. At a gap, which may take minutes to be filled, it is as far as this got.
   */
  async applied(session: SessionId): Promise<number | undefined> {
    const last = await lastOf(this.#region.manager, this.#store.origin, session)
    if (last === undefined) return undefined
    const end = performance.now() + patience
    while (this.upTo < last) {
      if (this.gapEnd !== undefined) return this.upTo
      if (performance.now() > end || this.#isStopped) return undefined
      await this.#progress()
    }
    return last
  }

  /** Waits until more is applied, or a moment. Nothing is left of those who waited in vain: a full disk may stay full for days. */
  #progress(): Promise<void> {
    return new Promise((resolve) => {
      const goOn = () => {
        clearTimeout(timer)
        this.#awaiting.delete(goOn)
        resolve()
      }
      const timer = setTimeout(goOn, 100)
      this.#awaiting.add(goOn)
    })
  }

  async #read(): Promise<void> {
    // The client gives up when NATS refuses to go on.
    await this.#take(this.#messages).catch((error: unknown) => this.#noteFailure(error))
    if (this.#isStopped || this.#left || this.#gapEnd !== undefined) return
    await wait(retryMs)
    await this.#readFrom(this.#last.sequence + 1)
  }

  async #take(messages: ConsumerMessages): Promise<void> {
    for await (const message of messages) {
      this.#failures = 0
      this.#pending = message.info.pending
      const { seq: sequence, data, info } = message
      // Asked for what comes after its end, a stream gives its end.
      const isAgain = sequence <= this.#last.sequence
      // The first one of a consumer: that may be another one since NATS was away.
      if (isAgain || info.deliverySequence === 1) await this.#end.compare(this.#last, this.#stopping.signal)
      if (isAgain) this.#end.noteAgain(this.#last)
      if (isAgain || this.#end.isLost || this.#gapEnd !== undefined) continue
      if (await this.#isBehindGap(sequence)) {
        this.#gapEnd = sequence
        this.#pending++
        messages.stop()
        continue
      }
      const task = this.#taskOf(message)
      if (this.#left || this.#waitingBytes > this.#mostBytes) this.#leave(sequence, task)
      else {
        const said = message.time.getTime()
        this.#waiting.push({ sequence, said, bytes: data.length, task })
        this.#waitingBytes += data.length
        this.#last = { sequence, said }
      }
      if (!this.#atWork) void this.#work()
    }
  }

  async #isBehindGap(sequence: number): Promise<boolean> {
    const { sequence: last } = this.#last
    const isGivenUp = this.#isGivenUp
    this.#isGivenUp = false
    if (this.#left || isGivenUp || sequence <= last + 1) return false
    return await this.#losses.areBehind(last, sequence)
  }

  #leave(sequence: number, task: Task | undefined): void {
    this.#left ??= { from: sequence, messages: 0 }
    this.#left.messages++
    if (task?.message.type === 'delete') this.#ahead.push(task)
  }

  /** Once there is room again. */
  async #readLeft({ from }: { readonly from: number }): Promise<void> {
    await this.#messages.close()
    await this.#done
    this.#pending += this.#left?.messages ?? 0 // until the stream says how many there are
    this.#left = undefined
    this.#ahead = []
    await this.#readFrom(from)
  }

  async #readFrom(sequence: number): Promise<void> {
    while (!this.#isStopped) {
      const messages = await messagesFrom(this.#region, this.#store, sequence).catch((error: unknown) =>
        this.#noteFailure(error),
      )
      if (messages) return this.#continue(messages)
      await wait(retryMs)
    }
  }

  /** That NATS is away, or the stream gone, is no failure of this reading. */
  #noteFailure(error: unknown): undefined {
    if (this.#isStopped || !this.#region.isConnected || isStreamGone(error)) return
    if (++this.#failures === failuresUnsaid) this.#failed(error)
  }

  async #continue(messages: ConsumerMessages): Promise<void> {
    this.#messages = messages
    this.#done = this.#read()
    if (!this.#isStopped) return
    // It was stopped meanwhile, and has closed those before. Only whoever reads them can close them.
    await messages.close()
    await this.#done
  }

  #taskOf({ seq, subject, data, headers }: JsMsg): Task | undefined {
    const session = parseSessionId(subject.split('.')[3] ?? '')
    const statement = session && this.#shards.has(shardOf(session)) ? decodeStatement(data) : undefined
    if (!session || !statement) return undefined
    noteTrace(this.#region.traces, statement.message, headers)
    return { session, sequence: seq, message: statement.message, isEcho: statement.author === echo }
  }

  async #work(): Promise<void> {
    this.#atWork = true
    while (this.#waiting.length > 0 && !this.#isStopped) {
      await new Promise((resolve) => setImmediate(resolve)) // what has arrived already comes along
      const readings = this.#waiting.splice(0, portionOf(this.#waiting))
      for (const { bytes } of readings) this.#waitingBytes -= bytes
      let left: readonly Task[] = readings.flatMap(({ task }) => task ?? [])
      for (let tries = 1; left.length > 0 && !this.#isStopped; tries++) {
        const worked = tries >= triesAlone && (await this.#works())
        left = await this.#try(left)
        // The disk worked before and works now, so something is wrong with these sessions alone. What a stream has to take waits for that.
        if (worked && (await this.#works())) left = left.filter((task) => this.#applier.hasToSay(task))
        if (left.length > 0) await this.#deleteAhead()
      }
      const last = readings.at(-1)
      if (last && !this.#isStopped) this.#reach(last)
      if (this.#waiting.length === 0 && this.#left) await this.#readLeft(this.#left)
    }
    this.#atWork = false
  }

  async #try(tasks: readonly Task[]): Promise<readonly Task[]> {
    // What was refused for want of room before a snapshot or a release must not come after it, when all that is read again after a crash.
    if (tasks.some(makesRoom)) await this.note()
    const left = await this.#applier.apply(tasks)
    if (left.length > 0) await wait(retryMs)
    return left
  }

  async #works(): Promise<boolean> {
    return (await this.#store.check()).outcome === 'ready'
  }

  /** Deletions do not wait behind what a full disk has no room for: they make some. They are final, so they need no turn. */
  async #deleteAhead(): Promise<void> {
    const deletions = this.#waiting.filter(({ task }) => task?.message.type === 'delete')
    const ahead = new Set(this.#ahead)
    const left = await this.#try([...deletions.flatMap(({ task }) => task ?? []), ...ahead])
    // More may have come meanwhile.
    this.#ahead = this.#ahead.filter((task) => !ahead.has(task) || left.includes(task))
    for (const reading of deletions)
      if (reading.task && !left.includes(reading.task)) reading.task = undefined
  }

  #reach({ sequence, said }: Reached): void {
    this.#reached = { sequence, said }
    // What is read again after a crash is known by its sequence. The last one is noted, too: it may be the last for days.
    this.#noting ??= setTimeout(() => {
      this.#noting = undefined
      void this.note()
    }, noteEveryMs).unref()
    for (const goOn of this.#awaiting) goOn()
  }
}

async function messagesFrom(
  region: Region,
  { origin }: OriginStore,
  from: number,
): Promise<ConsumerMessages> {
  const consumer = await region.stream.consumers.get(streamOf(origin), { opt_start_seq: from })
  return consumer.consume({ max_messages: mostOnTheWay, expires: askAgainMs })
}
