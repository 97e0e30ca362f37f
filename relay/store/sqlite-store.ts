import { Worker } from 'node:worker_threads'
import type { SessionId } from '../../shared/id.ts'
import { damageWords, type Reporter } from '../operators/report.ts'
import { SetupError } from '../settings/setup-error.ts'
import { AskedStore } from './asked-store.ts'
import { packRows, type Row } from './batch.ts'
import { FairQueue, mostAtOnce } from './fair-queue.ts'
import { type Appended, type NewEntry, type NewSnapshot, type PutSnapshot, unreachable } from './store.ts'
import type { Answer, FromStore, Reached, Request, StoreOptions, ToStore } from './store-protocol.ts'
import { storeThread } from './store-thread.ts'

/** How long appends wait for company in one transaction. */
const gatherMs = 20
/** Questions that come this soon after an answer wait so long for others: each trip to the store's thread costs more than its work. */
const [busyMs, companyMs] = [10, 2]
/** A disk that takes longer is treated as gone until it answers. */
const stalledMs = 10_000
/** Of changes that wait for the disk, and likewise of snapshots: of all sessions, and of one, which must not take it all. */
export const maxWaitingBytes = { inAll: 64 << 20, ofSession: 4 << 20 } as const

const ordinary: Appended = { outcome: 'saved', compact: undefined }

interface WaitingAppend {
  readonly row: Row
  readonly resolve: (appended: Appended) => void
}

interface WaitingRequest {
  readonly request: Request
  readonly resolve: (answer: Answer) => void
}

interface Batch {
  readonly appends: readonly WaitingAppend[]
  readonly requests: readonly WaitingRequest[]
}

/** Called for each transaction of changes: how many they were, how long the disk took, and which. */
export type Committed = (changes: number, ms: number, appends: readonly { readonly row: Row }[]) => void

/** Resolves once the database is open; rejects with a `SetupError` that says why it cannot be. */
export async function openSqliteStore(
  options: StoreOptions,
  report: Reporter,
  committed: Committed = () => {},
): Promise<SqliteStore> {
  const { worker, origin } = await openWorker(options)
  return new SqliteStore(worker, origin, options, report, committed)
}

/** The relay's side of the store's thread: one batch is under way, the next one gathers meanwhile. */
export class SqliteStore extends AskedStore {
  readonly origin: string
  readonly #options: StoreOptions
  readonly #report: Reporter
  readonly #committed: Committed
  #worker: Worker | undefined
  #appends: WaitingAppend[] = []
  readonly #requests = new FairQueue<WaitingRequest>()
  #waitingBytes = 0
  readonly #waitingBytesOf = new Map<SessionId, number>()
  /** Of snapshots that were not answered. */
  #snapshotBytes = 0
  /** Since when the first of the appends waits. */
  #waitingSince = 0
  #underWay: Batch | undefined
  /** When somebody was answered last. */
  #answeredAt = Number.NEGATIVE_INFINITY
  #stalled = false
  #closing = false
  #restarting: Promise<void> | undefined
  #gathering: NodeJS.Timeout | NodeJS.Immediate | undefined
  #watchdog: NodeJS.Timeout

  constructor(worker: Worker, origin: string, options: StoreOptions, report: Reporter, committed: Committed) {
    super()
    this.origin = origin
    this.#options = options
    this.#report = report
    this.#committed = committed
    this.#watchdog = setTimeout(() => this.#stall(), stalledMs).unref()
    this.#listen(worker)
  }

  append(session: SessionId, entry: NewEntry): Promise<Appended> {
    const own = this.#waitingBytesOf.get(session) ?? 0
    const isTooMuch = this.#waitingBytes > maxWaitingBytes.inAll || own > maxWaitingBytes.ofSession
    if (!this.#accepts || isTooMuch) return Promise.resolve(unreachable)
    return new Promise((resolve) => {
      const { sequence, previous, checksum, kind, envelope } = entry
      this.#waitingBytesOf.set(session, own + envelope.length)
      if (this.#appends.length === 0) this.#waitingSince = performance.now()
      this.#appends.push({ row: { session, sequence, previous, checksum, kind, envelope }, resolve })
      this.#waitingBytes += envelope.length
      this.#gathering ??= this.#underWay ? undefined : setTimeout(() => this.#flush(), gatherMs)
    })
  }

  override async putSnapshot(session: SessionId, snapshot: NewSnapshot): Promise<PutSnapshot> {
    const { length } = snapshot.envelope
    if (this.#snapshotBytes + length > maxWaitingBytes.inAll) return unreachable
    this.#snapshotBytes += length
    const put = await super.putSnapshot(session, snapshot)
    this.#snapshotBytes -= length
    return put
  }

  /** How far a stream was read, as it was noted last. */
  async applied(): Promise<Reached> {
    const answer = await this.ask({ type: 'applied', reached: undefined })
    return answer.outcome === 'applied' ? answer : { sequence: 0, said: undefined }
  }

  async noteApplied(reached: Reached): Promise<void> {
    await this.ask({ type: 'applied', reached })
  }

  /** To be called when another connection has changed sessions of its database. */
  async forget(): Promise<void> {
    await this.ask({ type: 'forget' })
  }

  /** Lets the database grow to so many bytes and no further, as a full disk would; undefined lifts it. */
  async limit(bytes: number | undefined): Promise<void> {
    await this.ask({ type: 'limit', bytes })
  }

  /** Commits what is waiting, then closes the database. */
  async close(): Promise<void> {
    // Also of a session that waits for its turn.
    while (this.#accepts && this.#requests.length > 0) await this.check()
    const closed = this.ask({ type: 'close' })
    this.#closing = true
    await closed
    await this.#restarting // the thread that it brings, and the folder that thread holds, end here, too
    clearTimeout(this.#watchdog)
    await this.#worker?.terminate()
  }

  get #accepts(): boolean {
    return this.#worker !== undefined && !this.#stalled && !this.#closing
  }

  protected ask(request: Request): Promise<Answer> {
    if (!this.#accepts) return Promise.resolve(unreachable)
    return new Promise((resolve) => {
      const session = 'session' in request ? request.session : ''
      if (this.#requests.push(session, { request, resolve })) this.#hurry()
      else resolve(unreachable)
    })
  }

  #hurry(): void {
    if (this.#underWay || this.#requests.length > 1) return
    clearTimeout(this.#gathering as NodeJS.Timeout | undefined)
    this.#gathering = this.#soon()
  }

  /** Somebody waits for an answer: as soon as this turn of the event loop is over, or with company when many ask. */
  #soon(): NodeJS.Timeout | NodeJS.Immediate {
    const isBusy = performance.now() - this.#answeredAt < busyMs
    return isBusy && this.#requests.length < mostAtOnce
      ? setTimeout(() => this.#flush(), companyMs)
      : setImmediate(() => this.#flush())
  }

  #flush(): void {
    this.#gathering = undefined
    if (!this.#worker || this.#underWay) return
    const batch = { appends: this.#appends, requests: this.#requests.take() }
    this.#appends = []
    this.#waitingBytes = 0
    this.#waitingBytesOf.clear()
    this.#underWay = batch
    const appends = batch.appends.length > 0 ? packRows(batch.appends.map(({ row }) => row)) : undefined
    const message: ToStore = { appends, requests: batch.requests.map(({ request }) => request) }
    this.#worker.postMessage(message, appends ? [appends] : [])
    this.#watchdog.refresh()
  }

  #answered({ unusual, answers, commitMs }: Extract<FromStore, { type: 'answers' }>): void {
    const batch = this.#underWay
    this.#underWay = undefined
    if (this.#stalled) {
      this.#stalled = false
      this.#report({ event: 'storeRecovered' })
    }
    if (!batch) return
    if (batch.appends.length > 0) this.#committed(batch.appends.length, commitMs, batch.appends)
    const exceptions = new Map(unusual)
    batch.appends.forEach(({ resolve }, at) => {
      resolve(exceptions.get(at) ?? ordinary)
    })
    batch.requests.forEach(({ resolve }, at) => {
      resolve(answers[at] ?? unreachable)
    })
    if (batch.requests.length > 0) this.#answeredAt = performance.now()
    if (this.#requests.length > 0) this.#gathering = this.#soon()
    else if (this.#appends.length > 0) {
      // While the disk was busy they had company already.
      const waited = performance.now() - this.#waitingSince
      this.#gathering = setTimeout(() => this.#flush(), Math.max(0, gatherMs - waited))
    }
  }

  #stall(): void {
    if (!this.#underWay) return
    this.#stalled = true
    this.#report({ event: 'storeStalled' })
    this.#refuseAll()
  }

  #refuseAll(): void {
    const batches = [this.#underWay, { appends: this.#appends, requests: this.#requests.takeAll() }]
    this.#appends = []
    this.#waitingBytes = 0
    this.#waitingBytesOf.clear()
    this.#underWay = undefined
    for (const batch of batches) {
      for (const { resolve } of batch?.appends ?? []) resolve(unreachable)
      for (const { resolve } of batch?.requests ?? []) resolve(unreachable)
    }
  }

  #listen(worker: Worker): void {
    this.#worker = worker
    worker.on('message', (message: FromStore) => this.#hear(message))
    worker.on('error', (error) => this.#report({ event: 'failed', error: String(error.stack) }))
    worker.on('exit', () => {
      this.#worker = undefined
      this.#stalled = false
      this.#refuseAll()
      this.#restarting = this.#restart()
    })
  }

  async #restart(): Promise<void> {
    if (this.#closing) return
    this.#report({ event: 'storeRestarting' })
    try {
      const { worker } = await openWorker(this.#options)
      this.#listen(worker)
    } catch (error) {
      this.#report({ event: 'failed', error: error instanceof Error ? error.message : String(error) })
      setTimeout(() => {
        this.#restarting = this.#restart()
      }, 2000).unref()
    }
  }

  #hear(message: FromStore): void {
    switch (message.type) {
      case 'answers':
        return this.#answered(message)
      case 'damagedRow':
        return this.#report({ event: 'damagedRow', table: message.table })
      case 'damagedDatabase':
        return this.#report({ event: 'damagedDatabase', words: damageWords })
      case 'mended':
        return this.#report({ event: 'mended', indexes: message.indexes })
      case 'refused':
        return this.#report({ event: 'storeRefused', reason: message.reason, code: message.code })
      case 'expired':
        return this.#report({ event: 'expired', sessions: message.sessions })
      case 'opened':
      case 'notOpened':
        return
    }
  }
}

function openWorker(options: StoreOptions): Promise<{ worker: Worker; origin: string }> {
  const worker = new Worker(storeThread(), { workerData: options, execArgv: [] })
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (message: FromStore) => {
      worker.off('error', reject)
      if (message.type === 'opened') resolve({ worker, origin: message.origin })
      else if (message.type === 'notOpened') reject(new SetupError(message.words))
      else reject(new Error(`The store began with ${message.type}`))
    })
  })
}
