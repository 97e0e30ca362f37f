import Sqlite from 'better-sqlite3'
import { packRows, type Row } from './batch.ts'
import type { OpenDatabase } from './database.ts'
import { EscrowTables } from './escrow-tables.ts'
import { LogTables } from './log-tables.ts'
import { ReadTables } from './read-tables.ts'
import { SnapshotTables } from './snapshot-tables.ts'
import type { Appended, Unreachable } from './store.ts'
import type { Answer, Notice, Request, StoreOptions } from './store-protocol.ts'
import { startSweeping } from './sweep.ts'

/** Where so much fits, several of the largest envelopes do. */
const roomBytes = 1 << 20

type Done<Value> = { readonly value: Value } | Unreachable

/** A store's work on its database, one transaction after the other. It waits for the disk, so it has a thread of its own. */
export class Engine {
  readonly #open: OpenDatabase
  readonly #notice: (notice: Notice) => void
  readonly #logs: LogTables
  readonly #reads: ReadTables
  readonly #snapshots: SnapshotTables
  readonly #escrow: EscrowTables
  readonly #check
  /** The last thing known of the disk's room is that there was too little. */
  #wasFull = false
  readonly #stopSweeping: () => void

  constructor(open: OpenDatabase, options: StoreOptions, notice: (notice: Notice) => void) {
    const { database } = open
    this.#open = open
    this.#notice = notice
    this.#logs = new LogTables(database, options.sessionMaxBytes)
    this.#reads = new ReadTables(database, (table) => notice({ type: 'damagedRow', table }))
    this.#snapshots = new SnapshotTables(database, this.#logs, this.#reads)
    this.#escrow = new EscrowTables(database, this.#logs)
    this.#check = {
      count: database.prepare(`UPDATE facts SET value = value + 1 WHERE name = 'check'`),
      takeRoom: database.prepare<[number]>(`INSERT OR REPLACE INTO facts VALUES ('room', zeroblob(?))`),
      giveRoom: database.prepare(`DELETE FROM facts WHERE name = 'room'`),
    }
    this.#stopSweeping = startSweeping(database, this.#logs, options.sessionIdleDays, (sessions) =>
      notice({ type: 'expired', sessions }),
    )
  }

  /** All in one transaction. */
  append(rows: readonly Row[]): Appended[] {
    const done = this.#commit(() => rows.map((row) => this.#logs.append(row)))
    return 'value' in done ? done.value : rows.map(() => done)
  }

  answer(request: Request): Answer {
    switch (request.type) {
      case 'since':
        return outcomeOf(this.#commit(() => this.#since(request)))
      case 'snapshot': {
        const { session, covers, replaces, envelope } = request
        return outcomeOf(this.#commit(() => this.#snapshots.put(session, covers, replaces, envelope)))
      }
      case 'deposit':
        return outcomeOf(this.#commit(() => this.#escrow.deposit(request.session, request.deposit)))
      case 'release': {
        const { session, round, asker } = request
        return outcomeOf(this.#commit(() => this.#escrow.release(session, round, asker)))
      }
      case 'delete':
        return this.#delete(request.session)
      case 'head':
        return outcomeOf(this.#commit(() => this.#logs.head(request.session)))
      case 'check':
        return this.#wasFull ? this.#findRoom() : this.#commitNothing(() => this.#check.count.run())
      case 'limit':
        this.#limit(request.bytes)
        return { outcome: 'ready' }
      case 'close':
        this.#stopSweeping()
        this.#open.close()
        return { outcome: 'ready' }
    }
  }

  #since({ session: id, after, generation }: Extract<Request, { type: 'since' }>): Answer {
    const session = this.#logs.find(id)
    if (!session) {
      if (this.#logs.isDeleted(id)) return { outcome: 'deleted' }
      const rows = new ArrayBuffer(0)
      return { outcome: 'page', resumed: false, snapshot: undefined, rows, upTo: undefined, more: false }
    }
    this.#logs.use(session)
    const { rows, ...page } = this.#reads.since(session.key, after, generation)
    return { outcome: 'page', ...page, rows: packRows(rows) }
  }

  /** Empties the write-ahead log as well, so that no file holds anything of the session any more. */
  #delete(session: string): Answer {
    const done = this.#commit(() => {
      this.#logs.delete(session)
      return { outcome: 'deleted' as const }
    })
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

  #commitNothing(work: () => void): Answer {
    const done = this.#commit(() => {
      work()
      return { outcome: 'ready' as const }
    })
    return outcomeOf(done)
  }

  #limit(bytes: number | undefined): void {
    const pageSize = Number(this.#open.database.pragma('page_size', { simple: true }))
    const pages = bytes === undefined ? 4_294_967_294 : Math.ceil(bytes / pageSize)
    this.#open.database.pragma(`max_page_count = ${pages}`)
  }

  /** One transaction; when the disk is full, once more after giving the write-ahead log back to it. */
  #commit<Value>(work: () => Value): Done<Value> {
    const first = this.#tryCommit(work)
    if ('value' in first || first.reason !== 'full' || !this.#emptyWriteAheadLog()) return first
    return this.#tryCommit(work)
  }

  /** False when the disk refuses; what was committed stays committed, and a later checkpoint does it. */
  #emptyWriteAheadLog(): boolean {
    try {
      this.#open.database.pragma('wal_checkpoint(TRUNCATE)')
      return true
    } catch (error) {
      if (error instanceof Sqlite.SqliteError) return false
      throw error
    }
  }

  #tryCommit<Value>(work: () => Value): Done<Value> {
    try {
      return { value: this.#open.database.transaction(work).immediate() }
    } catch (error) {
      if (!(error instanceof Sqlite.SqliteError)) throw error
      this.#logs.forgetAll()
      const reason = error.code === 'SQLITE_FULL' ? 'full' : 'unreachable'
      if (reason === 'full') this.#wasFull = true
      this.#notice({ type: 'refused', reason, code: error.code })
      return { outcome: 'refused', reason }
    }
  }
}

function outcomeOf<Value>(done: Done<Value>): Value | Unreachable {
  return 'value' in done ? done.value : done
}
