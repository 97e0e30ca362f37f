import type { Database } from 'better-sqlite3'
import { unlessCorrupt } from './corrupt.ts'
import { prepareDropping } from './database.ts'
import { hasSequence, numberIn } from './whole-rows.ts'

/** What the store remembers of a session between two appends. */
export interface SessionRow {
  readonly key: number
  head: number
  /** Bytes of all entries, snapshots and releases kept. */
  bytes: number
  day: number
  /** Entries and their bytes since the current snapshot. */
  entries: number
  entryBytes: number
  snapshot: Uint8Array | undefined
  /** No change up to this sequence is left for a snapshot to remove; 0 when that is not known. */
  clearedTo: number
  /** How many keys are kept for it. */
  deposits: number
}

/** Beyond these a snapshot is asked for. */
export const longLog = { entries: 200, bytes: 65_536 } as const

/** What may go over the quota: two snapshots, which are kept for the time being. */
const grace = 2 << 20
/** Room for the largest envelope, so that a session is over its quota for every envelope or for none. */
const largestEnvelope = 65_536
const rememberedSessions = 20_000

/** The sessions of a database, and how much is kept of each. Everything runs inside a transaction of the caller. */
export class SessionTable {
  readonly #quota: number
  /** The number of the day, see `sweep.ts`. */
  day = 0
  readonly #remembered = new Map<string, SessionRow>()
  readonly #statements

  constructor(database: Database, quota: number) {
    this.#quota = quota
    this.#statements = prepareAll(database)
  }

  find(id: string): SessionRow | undefined {
    const remembered = this.#remembered.get(id)
    if (remembered) return remembered
    const row = this.#statements.find.get(id)
    if (!row) return undefined
    const [current, older] = this.#snapshotsOf(row.key)
    const all = this.#lengthAfter(row.key, 0)
    const recent = this.#lengthAfter(row.key, current?.sequence ?? 0)
    return this.#remember(id, {
      key: row.key,
      head: Math.max(row.head, all?.last ?? 0),
      bytes:
        (all?.bytes ?? 0) +
        (current?.bytes ?? 0) +
        (older?.bytes ?? 0) +
        orNone(() => this.#statements.released.get(row.key)),
      day: row.day,
      entries: recent?.entries ?? 0,
      entryBytes: recent?.bytes ?? 0,
      snapshot: current?.id,
      clearedTo: 0,
      deposits: orNone(() => this.#statements.deposits.get(row.key)),
    })
  }

  /** Undefined for a session that was deleted. */
  findOrCreate(id: string): SessionRow | undefined {
    return this.find(id) ?? this.#create(id)
  }

  /**
   * What a snapshot stands for stays until the next one, which has to cover more: so after a snapshot a few changes are taken
   * whatever is kept. There is an end to that, because released keys are kept for good.
   */
  isOverQuota(session: SessionRow): boolean {
    const { bytes, entryBytes } = session
    return this.#isFull(session) && (entryBytes >= longLog.bytes || bytes > this.#quota + grace)
  }

  /** Notes the day on which a session was used last. */
  use(session: SessionRow): void {
    if (!this.isNewDay(session)) return
    session.day = this.day
    this.#statements.setDay.run(this.day, session.key)
  }

  isNewDay({ day }: SessionRow): boolean {
    return day !== this.day
  }

  isDeleted(id: string): boolean {
    return this.#statements.deletion.get(id) !== undefined
  }

  /** Leaves nothing but the fact. */
  delete(id: string): void {
    const session = this.find(id)
    this.#remembered.delete(id)
    if (session) for (const drop of this.#statements.drop) drop.run(session.key)
    this.#statements.noteDeletion.run(id, this.day)
  }

  /** Must be called when the session was removed behind this class. */
  forget(id: string): void {
    this.#remembered.delete(id)
  }

  /** Must be called when a transaction was undone, or rows changed behind this class. */
  forgetAll(): void {
    this.#remembered.clear()
  }

  /** False when the log has grown long, or is nearly all that may be kept: then a snapshot is asked for. */
  mayGrow(session: SessionRow): boolean {
    return !isLong(session) && !this.#isFull(session)
  }

  /** Entries up to there were removed when a snapshot replaced them. */
  removedUpTo({ key }: SessionRow): number {
    const [, older] = this.#snapshotsOf(key)
    return older?.sequence ?? 0
  }

  #isFull({ bytes }: SessionRow): boolean {
    return bytes + largestEnvelope > this.#quota
  }

  #snapshotsOf(key: number) {
    return unlessCorrupt(
      () => this.#statements.snapshots.all(key),
      () => [],
    )
  }

  /** On a damaged page lengths are not to be had, so the smallest is taken for each. */
  #lengthAfter(key: number, sequence: number) {
    const { lengths, counts } = this.#statements
    return unlessCorrupt(
      () => lengths.get(key, sequence),
      () => counts.get(key, sequence),
    )
  }

  #create(id: string): SessionRow | undefined {
    if (this.isDeleted(id)) return undefined
    const { lastInsertRowid } = this.#statements.create.run(id, this.day)
    return this.#remember(id, {
      key: Number(lastInsertRowid),
      head: 0,
      bytes: 0,
      day: this.day,
      entries: 0,
      entryBytes: 0,
      snapshot: undefined,
      clearedTo: 0,
      deposits: 0,
    })
  }

  #remember(id: string, session: SessionRow): SessionRow {
    if (this.#remembered.size >= rememberedSessions) {
      const [oldest] = this.#remembered.keys()
      if (oldest !== undefined) this.#remembered.delete(oldest)
    }
    this.#remembered.set(id, session)
    return session
  }
}

function isLong(session: SessionRow): boolean {
  return session.entries > longLog.entries || session.entryBytes > longLog.bytes
}

/** Damaged pages of keys cost the keys on them, and not the log. */
function orNone(count: () => number | undefined): number {
  return unlessCorrupt(count, () => 0) ?? 0
}

function prepareAll(database: Database) {
  return {
    find: database.prepare<[string], { key: number; head: number; day: number }>(
      `SELECT key, ${numberIn('head')} AS head, ${numberIn('day')} AS day FROM sessions WHERE id = ?`,
    ),
    create: database.prepare<[string, number]>('INSERT INTO sessions (id, head, day) VALUES (?, 0, ?)'),
    deletion: database.prepare<[string], { id: string }>('SELECT id FROM deletions WHERE id = ?'),
    noteDeletion: database.prepare<[string, number]>('INSERT OR REPLACE INTO deletions VALUES (?, ?)'),
    drop: prepareDropping(database),
    released: database
      .prepare<[number], number>('SELECT ifnull(sum(length(body)), 0) FROM releases WHERE session = ?')
      .pluck(),
    deposits: database.prepare<[number], number>('SELECT count(*) FROM deposits WHERE session = ?').pluck(),
    setDay: database.prepare<[number, number]>('UPDATE sessions SET day = ? WHERE key = ?'),
    lengths: database.prepare<[number, number], { entries: number; bytes: number; last: number | null }>(
      `SELECT count(*) AS entries, ifnull(sum(length(envelope)), 0) AS bytes, max(sequence) AS last
       FROM entries WHERE session = ? AND sequence > ? AND ${hasSequence}`,
    ),
    counts: database.prepare<[number, number], { entries: number; bytes: number; last: number | null }>(
      `SELECT count(*) AS entries, 256 * count(*) AS bytes, max(sequence) AS last
       FROM entries WHERE session = ? AND sequence > ?`,
    ),
    snapshots: database.prepare<[number], { sequence: number; id: Buffer; bytes: number }>(
      `SELECT sequence, id, length(envelope) AS bytes FROM snapshots
       WHERE session = ? AND ${hasSequence} AND typeof(id) = 'blob' ORDER BY sequence DESC`,
    ),
  }
}
