import Sqlite, { type Database } from 'better-sqlite3'
import { isCorrupt } from './corrupt.ts'
import type { OpenDatabase } from './database.ts'
import type { DiskReserve } from './disk-reserve.ts'
import { takenAway } from './in-place.ts'
import { isSmall, mendIndexes, removeUnused } from './mending.ts'
import type { SessionTable } from './session-table.ts'
import { type Unreachable, unreachable } from './store.ts'
import type { Notice } from './store-protocol.ts'

const hour = 3_600_000
/** How long to wait for somebody else who reads the database, such as a backup, before the write-ahead log is emptied. */
const readingMs = 1000

export const full: Unreachable = { outcome: 'refused', reason: 'full' }

export type Done<Value> = { readonly value: Value } | Unreachable

/** What is done with a database as a whole or not at all, and what becomes of it when the disk refuses or is damaged. */
export class Transactions {
  readonly #database: Database
  readonly #isInPlace: () => boolean
  readonly #sessions: SessionTable
  readonly #reserve: DiskReserve
  readonly #notice: (notice: Notice) => void
  /** The last thing known of the disk's room is that there was too little. */
  wasFull = false
  #metDamage = false
  #mendAgainAt = 0
  #emptying: NodeJS.Timeout | undefined

  constructor(
    { database, isInPlace = () => true }: OpenDatabase,
    sessions: SessionTable,
    reserve: DiskReserve,
    notice: (notice: Notice) => void,
  ) {
    this.#database = database
    this.#isInPlace = isInPlace
    this.#sessions = sessions
    this.#reserve = reserve
    this.#notice = notice
  }

  /** Whether the last one that failed met a damaged page. */
  get metDamage(): boolean {
    return this.#metDamage
  }

  /** What makes the database grow. The rest of a disk is for reading, for deleting, and for whoever has to make room. */
  keep<Value>(work: () => Value, sessions: Iterable<string>): Done<Value> {
    if (!this.#reserve.isTouched()) return this.commit(work, sessions)
    this.#metDamage = false
    this.#notice({ type: 'refused', reason: 'full', code: 'DISK_RESERVE' })
    return full
  }

  /**
   * One transaction; when the disk is full, once more after giving the write-ahead log back to it. SQLite commits nothing
   * after it met a damaged page, so the sessions it is about are looked up before.
   */
  commit<Value>(work: () => Value, sessions: Iterable<string>): Done<Value> {
    for (const session of sessions) this.read(() => this.#sessions.find(session))
    const first = this.#tryCommit(work)
    if ('value' in first || first.reason !== 'full' || !this.emptyWriteAheadLog()) return first
    return this.#tryCommit(work)
  }

  /** Nobody else writes, so what is read one after the other belongs together without a transaction. */
  read<Value>(work: () => Value): Done<Value> {
    try {
      return { value: work() }
    } catch (error) {
      if (!(error instanceof Sqlite.SqliteError)) throw error
      this.#sessions.forgetAll()
      if (isCorrupt(error) && this.#mend()) return this.read(work)
      const reason = error.code === 'SQLITE_FULL' ? 'full' : 'unreachable'
      if (reason === 'full') this.wasFull = true
      this.#metDamage = isCorrupt(error)
      this.#notice({ type: 'refused', reason, code: error.code })
      return { outcome: 'refused', reason }
    }
  }

  /**
   * False when the disk refuses; what was committed stays committed, and a later checkpoint does it. While a backup reads the
   * log cannot be emptied: nobody's append waits for that, it is done afterwards.
   */
  emptyWriteAheadLog(): boolean {
    const database = this.#database
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

  close(): void {
    clearTimeout(this.#emptying)
  }

  #emptyAgain(): void {
    this.#emptying = undefined
    this.emptyWriteAheadLog()
  }

  #tryCommit<Value>(work: () => Value): Done<Value> {
    if (!this.#isInPlace()) {
      this.#metDamage = false
      this.emptyWriteAheadLog() // its name may be all that is gone, and what was saved has to outlive this process
      this.#notice({ type: 'refused', reason: 'unreachable', code: takenAway })
      return unreachable
    }
    return this.read(() => this.#database.transaction(work).immediate())
  }

  /** It reads whole indexes and tables, so not often, and not again where it was in vain. */
  #mend(): boolean {
    const now = performance.now()
    if (now < this.#mendAgainAt) return false
    const database = this.#database
    const indexes = mendIndexes(database)
    this.#mendAgainAt = indexes > 0 ? now + hour : Number.POSITIVE_INFINITY
    if (indexes > 0) this.#notice({ type: 'mended', indexes })
    else this.#notice({ type: 'damagedDatabase' })
    if (indexes > 0 && isSmall(database)) removeUnused(database)
    return indexes > 0
  }
}
