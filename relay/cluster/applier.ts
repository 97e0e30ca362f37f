import { encodeAsker, saltBytes } from '../../shared/escrow.ts'
import type { SessionId } from '../../shared/id.ts'
import { checksumOf, markOf } from '../store/hash.ts'
import { maxWaitingBytes } from '../store/sqlite-store.ts'
import {
  type Appended,
  type EntryKind,
  entryKinds,
  inStreamOrder,
  type Store,
  unreachable,
} from '../store/store.ts'
import { type Became, encodeBulletin, type News } from './news.ts'
import type { Region } from './region.ts'
import { echo, encodeStatement, type Stated } from './statement.ts'
import { logOf, regionOf, streamOf } from './streams.ts'

/** Statements that are committed together at most. */
const portion = 500

/** What a stream says of a session that this store keeps. */
export interface Task {
  readonly session: SessionId
  readonly sequence: number
  readonly message: Stated
  readonly isEcho: boolean
}

interface Done {
  readonly task: Task
  readonly outcome: Became
}

/** Does in one store what the statements in the stream of its origin say, and tells the rooms what became of it. */
export class Applier {
  readonly #region: Region
  readonly #store: Store
  readonly #deleted: (session: SessionId) => void
  /** What its own region's stream did not take, and has to. */
  readonly #unsaid = new WeakSet<Task>()

  /** `deleted` is told of each session that is deleted. */
  constructor(region: Region, store: Store, deleted: (session: SessionId) => void) {
    this.#region = region
    this.#store = store
    this.#deleted = deleted
  }

  /** Whether the stream of its own region has yet to take what this says. */
  hasToSay(task: Task): boolean {
    return this.#unsaid.has(task)
  }

  /** Returns what has to be tried again, and what comes after that in the same session: done twice it comes to the same. */
  async apply(tasks: readonly Task[]): Promise<readonly Task[]> {
    const done = await Promise.all(tasks.map(async (task) => ({ task, outcome: await this.#do(task) })))
    this.#tell(done)
    const held = new Set<SessionId>()
    return done.flatMap((one) => {
      const { task } = one
      if (isStuck(one)) held.add(task.session)
      return held.has(task.session) ? task : []
    })
  }

  #tell(done: readonly Done[]): void {
    const { connection, name, isConnected } = this.#region
    const news = new Map<SessionId, News[]>()
    for (const one of done) {
      // It would be kept until NATS is back, each time that this is tried.
      if (!isConnected && isStuck(one)) continue
      const { session, sequence, message } = one.task
      const own = news.get(session) ?? []
      news.set(session, own)
      own.push({ sequence, of: message.type, outcome: one.outcome })
    }
    for (const [session, own] of news) {
      const bulletin = encodeBulletin({ origin: this.#store.origin, region: name, news: own })
      connection.publish(`room.${session}.news`, bulletin)
    }
  }

  async #do(task: Task): Promise<Became> {
    const { session, sequence, message } = task
    switch (message.type) {
      case 'append':
        return this.#append(session, sequence, entryKinds.change, message.envelope)
      case 'snapshot':
        return this.#store.putSnapshot(session, message)
      case 'deposit':
        return this.#store.deposit(session, message)
      case 'delete':
        if (!(await this.#sayAgain(task))) return unreachable
        void this.#forget(session, sequence)
        return this.#delete(session)
      case 'release': {
        if (!(await this.#sayAgain(task))) return unreachable
        const salt = checksumOf(Buffer.from(`${this.#store.origin} ${sequence}`)).subarray(0, saltBytes)
        const release = await this.#store.release(session, message.round, encodeAsker(message.asker), salt)
        if (release.outcome !== 'released') return release
        const appended = await this.#append(session, sequence, entryKinds.released, release.body)
        if (appended.outcome !== 'saved' && appended.outcome !== 'duplicate') return appended
        const position = appended.outcome === 'saved' ? appended.position : undefined
        return { outcome: 'released', position, body: release.body }
      }
    }
  }

  /** Others are told once this database says so: whoever looks what is deleted finds it there. */
  async #delete(session: SessionId): Promise<Became> {
    const deleted = await this.#store.delete(session)
    if (deleted.outcome === 'deleted') this.#deleted(session)
    return deleted
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

  /**
   * A store does nothing but what its own stream says, so that all of an origin stay the same. What holds for the whole session, in every
   * region, is therefore said again in this one. False when it could not be.
   */
  async #sayAgain(task: Task): Promise<boolean> {
    const { session, sequence, message, isEcho } = task
    const { name, stream } = this.#region
    if (isEcho || regionOf(this.#store.origin) === name) return true
    const statement = encodeStatement({ author: echo, message })
    // Each store of this shard says it; the stream takes it once.
    const msgID = `${this.#store.origin} ${sequence}`
    const isSaid = await stream.publish(logOf(name, session), statement, { msgID }).then(
      () => true,
      () => false,
    )
    if (isSaid) this.#unsaid.delete(task)
    else this.#unsaid.add(task)
    return isSaid
  }

  /** The stream keeps only the deletion itself, for stores that are behind. */
  async #forget(session: SessionId, sequence: number): Promise<void> {
    const { manager } = this.#region
    const { origin } = this.#store
    await manager.streams
      .purge(streamOf(origin), { filter: logOf(regionOf(origin), session), seq: sequence })
      .catch(() => {}) // it is gone from the ring within a day in any case
  }
}

/**
 * Appends go into one transaction, and everything else comes after them. A release needs all before it, and nothing after it; so does,
 * within its session, a deletion, and a snapshot, before which the quota may refuse what it takes afterwards. All of it may be of one
 * session, of which a store lets only so much wait.
 */
export function portionOf(
  waiting: readonly { readonly bytes: number; readonly task: Task | undefined }[],
): number {
  let bytes = 0
  const closed = new Set<SessionId>()
  const end = waiting.findIndex(({ bytes: more, task }, at) => {
    bytes += more
    if (at === portion || bytes > maxWaitingBytes.ofSession || task?.message.type === 'release') return true
    if (!task) return false
    if (closed.size > 0 && closed.has(task.session)) return true
    if (!isSnapshot(task) && task.message.type !== 'delete') return false
    closed.add(task.session)
    return waiting.slice(0, at).some((before) => before.task?.session === task.session)
  })
  return end < 0 ? waiting.length : Math.max(1, end)
}

export function makesRoom(task: Task): boolean {
  return isSnapshot(task) || task.message.type === 'release'
}

function isSnapshot({ message }: Task): boolean {
  return message.type === 'snapshot'
}

function isStuck({ outcome }: Done): boolean {
  return outcome.outcome === 'refused' && outcome.reason !== 'quota'
}
