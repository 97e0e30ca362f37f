import { packRows, type Row } from './batch.ts'
import type { OpenDatabase } from './database.ts'
import { DiskReserve } from './disk-reserve.ts'
import { EscrowTables } from './escrow-tables.ts'
import { LogTables } from './log-tables.ts'
import { isDamaged } from './mending.ts'
import { type Damage, ReadTables } from './read-tables.ts'
import { SessionTable } from './session-table.ts'
import { SnapshotTables } from './snapshot-tables.ts'
import type { Appended, Unreachable } from './store.ts'
import type { Answer, Notice, Reached, Request, StoreOptions } from './store-protocol.ts'
import { startSweeping } from './sweep.ts'
import { type Done, full, Transactions } from './transactions.ts'

/** Where so much fits, several of the largest envelopes do. */
const roomBytes = 1 << 20

type DepositRequest = Extract<Request, { type: 'deposit' }>

/** A store's work on its database, one transaction after the other. It waits for the disk, so it has a thread of its own. */
export class Engine {
  readonly #open: OpenDatabase
  readonly #sessions: SessionTable
  readonly #logs: LogTables
  readonly #reads: ReadTables
  readonly #snapshots: SnapshotTables
  readonly #escrow: EscrowTables
  readonly #reserve: DiskReserve
  readonly #transactions: Transactions
  readonly #check
  readonly #noted
  readonly #stopSweeping: () => void

  constructor(open: OpenDatabase, options: StoreOptions, notice: (notice: Notice) => void) {
    const { database } = open
    this.#open = open
    this.#sessions = new SessionTable(database, options.sessionMaxBytes)
    this.#logs = new LogTables(database, this.#sessions)
    const damaged: Damage = (table) => notice({ type: 'damagedRow', table })
    this.#reads = new ReadTables(database, damaged)
    this.#snapshots = new SnapshotTables(database, this.#sessions, this.#reads)
    this.#escrow = new EscrowTables(database, this.#sessions, damaged)
    this.#reserve = new DiskReserve(options)
    this.#transactions = new Transactions(open, this.#sessions, this.#reserve, notice)
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
    if (isDamaged(database)) notice({ type: 'damagedDatabase' })
    this.#stopSweeping = startSweeping(database, this.#sessions, options.sessionIdleDays, (sessions) =>
      notice({ type: 'expired', sessions }),
    )
  }

  /** All in one transaction; where one session's page is damaged, one for each session. */
  append(rows: readonly Row[]): Appended[] {
    const sessions = new Set(rows.map((row) => row.session))
    const done = this.#transactions.keep(() => rows.map((row) => this.#logs.append(row)), sessions)
    if ('value' in done) return done.value
    if (!this.#transactions.metDamage) return rows.map(() => done)
    const appended = new Map<Row, Appended>()
    for (const session of sessions) {
      const own = rows.filter((row) => row.session === session)
      const apart = this.#transactions.commit(() => own.map((row) => this.#logs.append(row)), [session])
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
          this.#transactions.keep(() => this.#snapshots.put(session, covers, replaces, envelope), [session]),
        )
      }
      case 'deposit':
        return outcomeOf(
          this.#transactions.keep(
            () => this.#escrow.deposit(request.session, request.deposit),
            [request.session],
          ),
        )
      case 'release': {
        const { session, round, asker, salt } = request
        return outcomeOf(
          this.#transactions.commit(() => this.#escrow.release(session, round, asker, salt), [session]),
        )
      }
      case 'delete':
        return this.#delete(request.session)
      case 'head':
        return this.#usedBy(
          request.session,
          this.#transactions.read(() => this.#logs.head(request.session)),
        )
      case 'check':
        if (this.#reserve.isTouched()) return full
        return this.#transactions.wasFull
          ? this.#findRoom()
          : this.#commitNothing(() => this.#check.count.run())
      case 'applied':
        return this.#applied(request.reached)
      case 'forget':
        this.#sessions.forgetAll()
        return { outcome: 'ready' }
      case 'limit':
        this.#limit(request.bytes)
        return { outcome: 'ready' }
      case 'close':
        this.#stopSweeping()
        this.#transactions.close()
        this.#open.close()
        return { outcome: 'ready' }
    }
  }

  /** Where one session's page is damaged, each by itself. */
  #depositAll(deposits: readonly DepositRequest[]): Answer[] {
    const work = () => deposits.map(({ session, deposit }) => this.#escrow.deposit(session, deposit))
    const sessions = new Set(deposits.map(({ session }) => session))
    const done = deposits.length > 1 ? this.#transactions.keep(work, sessions) : undefined
    return done && 'value' in done ? done.value : deposits.map((deposit) => this.answer(deposit))
  }

  #since({ session: id, after, generation }: Extract<Request, { type: 'since' }>): Answer {
    const read = this.#transactions.read((): Answer => {
      const session = this.#sessions.find(id)
      if (!session) {
        if (this.#sessions.isDeleted(id)) return { outcome: 'deleted' }
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
    const session = 'value' in read ? this.#sessions.find(id) : undefined
    if (session && this.#sessions.isNewDay(session))
      this.#transactions.commit(() => this.#sessions.use(session), [])
    return outcomeOf(read)
  }

  /** Empties the write-ahead log as well, so that no file holds anything of the session any more. */
  #delete(session: string): Answer {
    const remove = () => {
      this.#sessions.delete(session)
      return { outcome: 'deleted' as const }
    }
    const done = this.#transactions.commit(remove, [session])
    if ('value' in done) this.#transactions.emptyWriteAheadLog()
    return outcomeOf(done)
  }

  /** What is tiny may fit on a full disk, and then everybody would come back only to be refused again. */
  #findRoom(): Answer {
    const found = this.#commitNothing(() => this.#check.takeRoom.run(roomBytes))
    if (found.outcome !== 'ready') return found
    this.#transactions.wasFull = false
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
    return outcomeOf(reached ? this.#transactions.commit(note, []) : this.#transactions.read(note))
  }

  #commitNothing(work: () => void): Answer {
    const ready = () => {
      work()
      return { outcome: 'ready' as const }
    }
    return outcomeOf(this.#transactions.commit(ready, []))
  }

  #limit(bytes: number | undefined): void {
    const pageSize = Number(this.#open.database.pragma('page_size', { simple: true }))
    const pages = bytes === undefined ? 4_294_967_294 : Math.ceil(bytes / pageSize)
    this.#open.database.pragma(`max_page_count = ${pages}`)
  }
}

function outcomeOf<Value>(done: Done<Value>): Value | Unreachable {
  return 'value' in done ? done.value : done
}
