import type { Database } from 'better-sqlite3'
import type { Row } from './batch.ts'
import { isCorrupt, unlessCorrupt } from './corrupt.ts'
import { checksumOf, markOf } from './hash.ts'
import type { SessionRow, SessionTable } from './session-table.ts'
import { type Appended, type Head, inStreamOrder } from './store.ts'
import { hasSequence, isBytes } from './whole-rows.ts'

/** Appending to the logs of a database. Everything runs inside a transaction of the caller. */
export class LogTables {
  readonly #sessions: SessionTable
  #isEndDamaged = false
  readonly #statements

  constructor(database: Database, sessions: SessionTable) {
    this.#sessions = sessions
    this.#statements = prepareAll(database)
  }

  append(row: Row): Appended {
    const session = this.#sessions.findOrCreate(row.session)
    if (!session) return { outcome: 'deleted' }
    const { setHead } = this.#statements
    const overQuota = this.#sessions.isOverQuota(session)
    const isStreamed = row.previous === inStreamOrder
    const isReadAgain = isStreamed && row.sequence <= session.head
    const followsHead = isStreamed ? !isReadAgain : row.previous === session.head
    const inTurn = followsHead && !overQuota
    if (inTurn && this.#insert(session.key, row)) {
      session.head = row.sequence
      session.bytes += row.envelope.length
      session.entries += 1
      session.entryBytes += row.envelope.length
      this.#sessions.use(session)
      return {
        outcome: 'saved',
        compact: this.#sessions.mayGrow(session) ? undefined : { replaces: session.snapshot },
      }
    }
    const original = this.#originalOf(session, row)
    if (original !== undefined) {
      if (followsHead) {
        session.head = row.sequence
        setHead.run(row.sequence, session.key)
      }
      return { outcome: 'duplicate', of: original }
    }
    if (isReadAgain && this.#isReplaced(session, row)) return { outcome: 'saved', compact: undefined }
    return { outcome: 'refused', reason: overQuota ? 'quota' : 'unreachable' }
  }

  head(id: string): Head {
    const session = this.#sessions.find(id)
    if (!session) return { outcome: 'head', sequence: 0, saved: undefined, overQuota: undefined }
    const last = unlessCorrupt(
      () => this.#statements.last.get(session.key),
      () => undefined,
    )
    return {
      outcome: 'head',
      sequence: session.head,
      saved: isBytes(last?.checksum) ? { sequence: last.sequence, mark: markOf(last.checksum) } : undefined,
      overQuota: this.#sessions.isOverQuota(session) ? { replaces: session.snapshot } : undefined,
    }
  }

  /** New rows go to the last page. When that one is damaged the transaction is lost, and from the next on they go to the first. */
  #insert(key: number, { sequence, checksum, envelope, kind }: Row): boolean {
    const { insert, insertFirst } = this.#statements
    const statement = this.#isEndDamaged ? insertFirst : insert
    try {
      return statement.run(key, sequence, checksum, envelope, kind).changes === 1
    } catch (error) {
      this.#isEndDamaged ||= isCorrupt(error)
      throw error
    }
  }

  /**
   * Whether what had this number was removed when a snapshot replaced it. A stream that lost its end gives numbers out again, and then
   * what is not here was never kept.
   */
  #isReplaced(session: SessionRow, { sequence }: Row): boolean {
    const isRemoved = sequence <= this.#sessions.removedUpTo(session)
    return isRemoved && this.#statements.bySequence.get(session.key, sequence) === undefined
  }

  /** A row whose envelope was damaged on disk gives way, so that sending the change again repairs it. */
  #originalOf(session: SessionRow, row: Row): number | undefined {
    const original = this.#statements.byChecksum.get(session.key, row.checksum)
    if (!original) return undefined
    const { envelope } = original
    if (isBytes(envelope) && checksumOf(envelope).equals(row.checksum)) return original.sequence
    this.#statements.repair.run(row.envelope, session.key, original.sequence)
    return original.sequence
  }
}

function prepareAll(database: Database) {
  return {
    setHead: database.prepare<[number, number]>('UPDATE sessions SET head = ? WHERE key = ?'),
    insert: database.prepare<[number, number, Uint8Array, Uint8Array, number]>(
      'INSERT INTO entries VALUES (?, ?, ?, ?, ?) ON CONFLICT (session, checksum) DO NOTHING',
    ),
    insertFirst: database.prepare<[number, number, Uint8Array, Uint8Array, number]>(
      `INSERT INTO entries (rowid, session, sequence, checksum, envelope, kind)
       VALUES ((SELECT min(rowid) - 1 FROM entries), ?, ?, ?, ?, ?) ON CONFLICT (session, checksum) DO NOTHING`,
    ),
    repair: database.prepare<[Uint8Array, number, number]>(
      'UPDATE entries SET envelope = ? WHERE session = ? AND sequence = ?',
    ),
    byChecksum: database.prepare<[number, Uint8Array], { sequence: number; envelope: unknown }>(
      `SELECT sequence, envelope FROM entries WHERE session = ? AND checksum = ? AND ${hasSequence}`,
    ),
    bySequence: database
      .prepare<[number, number], number>('SELECT sequence FROM entries WHERE session = ? AND sequence = ?')
      .pluck(),
    last: database.prepare<[number], { sequence: number; checksum: unknown }>(
      `SELECT sequence, checksum FROM entries WHERE session = ? AND ${hasSequence} ORDER BY sequence DESC LIMIT 1`,
    ),
  }
}
