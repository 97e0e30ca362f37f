import Sqlite, { type Database } from 'better-sqlite3'
import { type OpenDatabase, prepare } from '../../relay/store/database.ts'
import { DirectStore } from '../../relay/store/direct-store.testing.ts'
import type { NewEntry, NewSnapshot, Store } from '../../relay/store/store.ts'
import type { Cursor } from '../../shared/cursor.ts'
import type { Deposit } from '../../shared/escrow.ts'
import type { SessionId } from '../../shared/id.ts'
import type { Life, VirtualClock } from './virtual-clock.ts'

const options = { dataDir: '', region: 'local', sessionIdleDays: 90 }

/** `gone` answers nothing but refusals, `readOnly` and `full` are what SQLite says of such disks. */
export type StoreTrouble = 'none' | 'gone' | 'readOnly' | 'full'

/** A relay's disk: what was committed stays, whatever happens to the process, until an older copy is put in its place. */
export class StoreDisk {
  #database: Database
  #trouble: StoreTrouble = 'none'
  /** Of each session. */
  readonly quota: number
  /** Changes that went beyond it. */
  overQuota = 0

  constructor(quota: number) {
    this.quota = quota
    this.#database = new Sqlite(':memory:')
    prepare(this.#database, options.region)
  }

  get trouble(): StoreTrouble {
    return this.#trouble
  }

  set trouble(trouble: StoreTrouble) {
    this.#trouble = trouble
    const pages = Number(this.#database.pragma('page_count', { simple: true }))
    this.#database.pragma(`query_only = ${trouble === 'readOnly' ? 1 : 0}`)
    this.#database.pragma(`max_page_count = ${trouble === 'full' ? pages : 4_294_967_294}`)
  }

  /** For a relay that starts. Nothing is closed: a crash does not ask either. */
  open(): DirectStore {
    const open: OpenDatabase = {
      database: this.#database,
      origin: String(this.#database.prepare(`SELECT value FROM facts WHERE name = 'origin'`).pluck().get()),
      close: () => {},
    }
    return new DirectStore({ ...options, sessionMaxBytes: this.quota }, () => {}, open)
  }

  copy(): Buffer {
    return this.#database.serialize()
  }

  putBack(copy: Buffer): void {
    const { trouble } = this
    this.trouble = 'none'
    this.#database = new Sqlite(copy)
    this.trouble = trouble
  }

  /** What a newcomer gets who reads from both snapshots. */
  *envelopes(): Iterable<{ readonly kind: 'snapshot' | 'change'; readonly envelope: Uint8Array }> {
    for (const kind of ['snapshot', 'change'] as const) {
      const table = kind === 'snapshot' ? 'snapshots' : 'entries'
      const all = this.#database.prepare<[], { envelope: Buffer }>(
        `SELECT envelope FROM ${table} ORDER BY sequence`,
      )
      for (const { envelope } of all.all()) yield { kind, envelope }
    }
  }

  get length(): number {
    return Number(this.#database.prepare('SELECT ifnull(max(sequence), 0) FROM entries').pluck().get())
  }

  close(): void {
    this.#database.close()
  }
}

/**
 * The real store behind a slow disk: first asked is first done, each takes its time, and so does its answer. What has not been
 * done when the relay dies never will be.
 */
export class SlowStore implements Store {
  readonly origin: string
  readonly #store: DirectStore
  readonly #disk: StoreDisk
  readonly #clock: VirtualClock
  readonly #life: Life
  readonly #slowness: () => number
  readonly #committed: (envelope: Uint8Array) => void
  readonly #compacted: () => void
  #doneAt = 0
  #answeredAt = 0

  constructor(
    disk: StoreDisk,
    clock: VirtualClock,
    life: Life,
    slowness: () => number,
    committed: (envelope: Uint8Array) => void,
    compacted: () => void,
  ) {
    this.#store = disk.open()
    this.#disk = disk
    this.#clock = clock
    this.#life = life
    this.#slowness = slowness
    this.#committed = committed
    this.#compacted = compacted
    this.origin = this.#store.origin
  }

  append(session: SessionId, entry: NewEntry) {
    return this.#inTurn(async () => {
      const appended = await this.#store.append(session, entry)
      if (appended.outcome === 'saved') this.#committed(entry.envelope)
      if (appended.outcome === 'refused' && appended.reason === 'quota') this.#disk.overQuota++
      return appended
    })
  }

  since(session: SessionId, cursor: Cursor, generation: number) {
    return this.#inTurn(() => this.#store.since(session, cursor, generation))
  }

  putSnapshot(session: SessionId, snapshot: NewSnapshot) {
    return this.#inTurn(async () => {
      const put = await this.#store.putSnapshot(session, snapshot)
      if (put.outcome === 'kept') this.#compacted()
      return put
    })
  }

  head(session: SessionId) {
    return this.#inTurn(() => this.#store.head(session))
  }

  deposit(session: SessionId, deposit: Deposit) {
    return this.#inTurn(() => this.#store.deposit(session, deposit))
  }

  release(session: SessionId, round: Uint8Array, asker: Uint8Array, salt?: Uint8Array) {
    return this.#inTurn(() => this.#store.release(session, round, asker, salt))
  }

  delete(session: SessionId) {
    return this.#inTurn(() => this.#store.delete(session))
  }

  check() {
    return this.#inTurn(() => this.#store.check())
  }

  async close(): Promise<void> {
    await this.#inTurn(() => this.#store.close())
  }

  #inTurn<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const { now } = this.#clock
    this.#doneAt = Math.max(this.#doneAt, now + this.#slowness())
    this.#answeredAt = Math.max(this.#answeredAt, this.#doneAt + this.#slowness())
    const untilAnswer = this.#answeredAt - this.#doneAt
    return new Promise((resolve) => {
      const begin = () => {
        this.#store.works = this.#disk.trouble !== 'gone'
        const answer = work()
        this.#clock.after(untilAnswer, () => resolve(answer))
      }
      this.#clock.after(this.#doneAt - now, begin, this.#life)
    })
  }
}
