import Sqlite, { type Database } from 'better-sqlite3'
import { packRows, type Row } from './batch.ts'
import { isCorrupt } from './corrupt.ts'
import type { OpenDatabase } from './database.ts'
import { DiskReserve } from './disk-reserve.ts'
import { EscrowTables } from './escrow-tables.ts'
import { LogTables } from './log-tables.ts'
import { mendIndexes, removeUnused } from './mending.ts'
import { type Damage, ReadTables } from './read-tables.ts'
import { SnapshotTables } from './snapshot-tables.ts'
import type { Appended, Unreachable } from './store.ts'
import type { Answer, Notice, Reached, Request, StoreOptions } from './store-protocol.ts'
import { startSweeping } from './sweep.ts'

/** Where so much fits, several of the largest envelopes do. */
const roomBytes = 1 << 20
const checkedBytes = 64 << 20
const hour = 3_600_000
/** How long to wait for somebody else who reads the database, such as a backup, before the write-ahead log is emptied. */
const readingMs = 1000

const full: Unreachable = { outcome: 'refused', reason: 'full' }

type DepositRequest = Extract<Request, { type: 'deposit' }>

type Done<Value> = { readonly value: Value } | Unreachable

/** A store's work on its database, one transaction after the other. It waits for the disk, so it has a thread of its own. */
export class Engine {
  readonly #open: OpenDatabase
  readonly #notice: (notice: Notice) => void
  readonly #logs: LogTables
  readonly #reads: ReadTables
  readonly #snapshots: SnapshotTables
  readonly #escrow: EscrowTables
  readonly #reserve: DiskReserve
  readonly #check
  readonly #noted
  /** The last thing known of the disk's room is that there was too little. */
  #wasFull = false
  /** Of the last transaction that failed. */
  #metDamage = false
  #mendAgainAt = 0
  #emptying: NodeJS.Timeout | undefined
  readonly #stopSweeping: () => void

  constructor(open: OpenDatabase, options: StoreOptions, notice: (notice: Notice) => void) {
    const { database } = open
    this.#open = open
    this.#notice = notice
    this.#logs = new LogTables(database, options.sessionMaxBytes)
    const damaged: Damage = (table) => notice({ type: 'damagedRow', table })
    this.#reads = new ReadTables(database, damaged)
    this.#snapshots = new SnapshotTables(database, this.#logs, this.#reads)
    this.#escrow = new EscrowTables(database, this.#logs, damaged)
    this.#reserve = new DiskReserve(options)
    this.#check = {
      count: database.prepare(`UPDATE facts SET value = value + 1 WHERE name = 'check'`),
      takeRoom: database.prepare<[number]>(`INSERT OR REPLACE INTO facts VALUES ('room', zeroblob(?))`),
      giveRoom: database.prepare(`DELETE FROM facts WHERE name = 'room'`),
    }
    this.#noted = {
      write: database.prepare<[number, string]>(
        `INSERT OR REPLACE INTO facts VALUES ('applied', ?), ('said', ?)`,
      ),
      read: database.prepare<[string]>('SELECT value FROM facts WHERE name = ?').pluck(),
    }
    if (isDamaged(open)) notice({ type: 'damagedDatabase' })
    this.#stopSweeping = startSweeping(database, this.#logs, options.sessionIdleDays, (sessions) =>
      notice({ type: 'expired', sessions }),
    )
  }

  /** All in one transaction; where one session's page is damaged, one for each session. */
  append(rows: readonly Row[]): Appended[] {
    const sessions = new Set(rows.map((row) => row.session))
    const done = this.#keep(() => rows.map((row) => this.#logs.append(row)), sessions)
    if ('value' in done) return done.value
    if (!this.#metDamage) return rows.map(() => done)
    const appended = new Map<Row, Appended>()
    for (const session of sessions) {
      const own = rows.filter((row) => row.session === session)
      const apart = this.#commit(() => own.map((row) => this.#logs.append(row)), [session])
      own.forEach((row, at) => {
        appended.set(row, 'value' in apart ? (apart.value[at] ?? done) : apart)
      })
    }
    return rows.map((row) => appended.get(row) ?? done)
  }

  /** In order; keys that come one after the other are committed together. */
  answerAll(requests: readonly Request[]): Answer[] {
    const answers: Answer[] = []
    let deposits: DepositRequest[] = []
    const commitDeposits = () => {
      if (deposits.length > 0) answers.push(...this.#depositAll(deposits))
      deposits = []
    }
    for (const request of requests) {
      if (request.type === 'deposit') deposits.push(request)
      else {
        commitDeposits()
        answers.push(this.answer(request))
      }
    }
    commitDeposits()
    return answers
  }

  answer(request: Request): Answer {
    switch (request.type) {
      case 'since':
        return this.#since(request)
      case 'snapshot': {
        const { session, covers, replaces, envelope } = request
        return outcomeOf(
          this.#keep(() => this.#snapshots.put(session, covers, replaces, envelope), [session]),
        )
      }
      case 'deposit':
        return outcomeOf(
          this.#keep(() => this.#escrow.deposit(request.session, request.deposit), [request.session]),
        )
      case 'release': {
        const { session, round, asker, salt } = request
        return outcomeOf(this.#commit(() => this.#escrow.release(session, round, asker, salt), [session]))
      }
      case 'delete':
        return this.#delete(request.session)
      case 'head':
        return this.#usedBy(
          request.session,
          this.#read(() => this.#logs.head(request.session)),
        )
      case 'check':
        if (this.#reserve.isTouched()) return full
        return this.#wasFull ? this.#findRoom() : this.#commitNothing(() => this.#check.count.run())
      case 'applied':
        return this.#applied(request.reached)
      case 'forget':
        this.#logs.forgetAll()
        return { outcome: 'ready' }
      case 'limit':
        this.#limit(request.bytes)
        return { outcome: 'ready' }
      case 'close':
        this.#stopSweeping()
        clearTimeout(this.#emptying)
        this.#open.close()
        return { outcome: 'ready' }
    }
  }

  /** Where one session's page is damaged, each by itself. */
  #depositAll(deposits: readonly DepositRequest[]): Answer[] {
    const work = () => deposits.map(({ session, deposit }) => this.#escrow.deposit(session, deposit))
    const sessions = new Set(deposits.map(({ session }) => session))
    const done = deposits.length > 1 ? this.#keep(work, sessions) : undefined
    return done && 'value' in done ? done.value : deposits.map((deposit) => this.answer(deposit))
  }

  #since({ session: id, after, generation }: Extract<Request, { type: 'since' }>): Answer {
    const read = this.#read((): Answer => {
      const session = this.#logs.find(id)
      if (!session) {
        if (this.#logs.isDeleted(id)) return { outcome: 'deleted' }
        const rows = new ArrayBuffer(0)
        return { outcome: 'page', resumed: false, snapshot: undefined, rows, upTo: undefined, more: false }
      }
      const { rows, ...page } = this.#reads.since(session.key, after, generation)
      return { outcome: 'page', ...page, rows: packRows(rows) }
    })
    return this.#usedBy(id, read)
  }

  /** Whoever reads a session uses it. */
  #usedBy(id: string, read: Done<Answer>): Answer {
    const session = 'value' in read ? this.#logs.find(id) : undefined
    if (session && this.#logs.isNewDay(session)) this.#commit(() => this.#logs.use(session), [])
    return outcomeOf(read)
  }

  /** Empties the write-ahead log as well, so that no file holds anything of the session any more. */
  #delete(session: string): Answer {
    const remove = () => {
      this.#logs.delete(session)
      return { outcome: 'deleted' as const }
    }
    const done = this.#commit(remove, [session])
    if ('value' in done) this.#emptyWriteAheadLog()
    return outcomeOf(done)
  }

  /** What is tiny may fit on a full disk, and then everybody would come back only to be refused again. */
  #findRoom(): Answer {
    const found = this.#commitNothing(() => this.#check.takeRoom.run(roomBytes))
    if (found.outcome !== 'ready') return found
    this.#wasFull = false
    return this.#commitNothing(() => this.#check.giveRoom.run())
  }

  /** Whoever knows only of a sequence notes that alone. So what was said when stands beside its own. */
  #applied(reached: Reached | undefined): Answer {
    const note = () => {
      if (reached) this.#noted.write.run(reached.sequence, `${reached.sequence} ${reached.said ?? ''}`)
      const sequence = Number(this.#noted.read.get('applied') ?? 0)
      const [of, said] = String(this.#noted.read.get('said') ?? '').split(' ')
      const isKnown = Number(of) === sequence && said
      return { outcome: 'applied' as const, sequence, said: isKnown ? Number(said) : undefined }
    }
    return outcomeOf(reached ? this.#commit(note, []) : this.#read(note))
  }

  #commitNothing(work: () => void): Answer {
    const ready = () => {
      work()
      return { outcome: 'ready' as const }
    }
    return outcomeOf(this.#commit(ready, []))
  }

  #limit(bytes: number | undefined): void {
    const pageSize = Number(this.#open.database.pragma('page_size', { simple: true }))
    const pages = bytes === undefined ? 4_294_967_294 : Math.ceil(bytes / pageSize)
    this.#open.database.pragma(`max_page_count = ${pages}`)
  }

  /** What makes the database grow. The rest of a disk is for reading, for deleting, and for whoever has to make room. */
  #keep<Value>(work: () => Value, sessions: Iterable<string>): Done<Value> {
    if (!this.#reserve.isTouched()) return this.#commit(work, sessions)
    this.#metDamage = false
    this.#notice({ type: 'refused', reason: 'full', code: 'DISK_RESERVE' })
    return full
  }

  /**
   * One transaction; when the disk is full, once more after giving the write-ahead log back to it. SQLite commits nothing
   * after it met a damaged page, so the sessions it is about are looked up before.
   */
  #commit<Value>(work: () => Value, sessions: Iterable<string>): Done<Value> {
    for (const session of sessions) this.#read(() => this.#logs.find(session))
    const first = this.#tryCommit(work)
    if ('value' in first || first.reason !== 'full' || !this.#emptyWriteAheadLog()) return first
    return this.#tryCommit(work)
  }

  /**
   * False when the disk refuses; what was committed stays committed, and a later checkpoint does it. While a backup reads the
   * log cannot be emptied: nobody's append waits for that, it is done afterwards.
   */
  #emptyWriteAheadLog(): boolean {
    const { database } = this.#open
    const patience = database.pragma('busy_timeout', { simple: true })
    try {
      database.pragma('busy_timeout = 0')
      const isRead = database.pragma('wal_checkpoint(TRUNCATE)', { simple: true }) === 1
      if (isRead) this.#emptying ??= setTimeout(() => this.#emptyAgain(), readingMs).unref()
      return true
    } catch (error) {
      if (error instanceof Sqlite.SqliteError) return false
      throw error
    } finally {
      database.pragma(`busy_timeout = ${patience}`)
    }
  }

  #emptyAgain(): void {
    this.#emptying = undefined
    this.#emptyWriteAheadLog()
  }

  #tryCommit<Value>(work: () => Value): Done<Value> {
    return this.#read(() => this.#open.database.transaction(work).immediate())
  }

  /** Nobody else writes, so what is read one after the other belongs together without a transaction. */
  #read<Value>(work: () => Value): Done<Value> {
    try {
      return { value: work() }
    } catch (error) {
      if (!(error instanceof Sqlite.SqliteError)) throw error
      this.#logs.forgetAll()
      if (isCorrupt(error) && this.#mend()) return this.#read(work)
      const reason = error.code === 'SQLITE_FULL' ? 'full' : 'unreachable'
      if (reason === 'full') this.#wasFull = true
      this.#metDamage = isCorrupt(error)
      this.#notice({ type: 'refused', reason, code: error.code })
      return { outcome: 'refused', reason }
    }
  }

  /** It reads whole indexes and tables, so not often, and not again where it was in vain. */
  #mend(): boolean {
    const now = performance.now()
    if (now < this.#mendAgainAt) return false
    const { database } = this.#open
    const indexes = mendIndexes(database)
    this.#mendAgainAt = indexes > 0 ? now + hour : Number.POSITIVE_INFINITY
    if (indexes > 0) this.#notice({ type: 'mended', indexes })
    else this.#notice({ type: 'damagedDatabase' })
    if (indexes > 0 && bytesOf(database) <= checkedBytes) removeUnused(database)
    return indexes > 0
  }
}

/** Up to a size that takes no longer than a moment, whether every index knows every row. */
function isDamaged({ database }: OpenDatabase): boolean {
  if (bytesOf(database) > checkedBytes) return false
  try {
    return database.pragma('integrity_check(1)', { simple: true }) !== 'ok'
  } catch (error) {
    if (error instanceof Sqlite.SqliteError) return true
    throw error
  }
}

function bytesOf(database: Database): number {
  const bytes = database.prepare('SELECT page_count * page_size FROM pragma_page_count, pragma_page_size')
  return Number(bytes.pluck().get())
}

function outcomeOf<Value>(done: Done<Value>): Value | Unreachable {
  return 'value' in done ? done.value : done
}
