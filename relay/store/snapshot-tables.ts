import type { Database } from 'better-sqlite3'
import { equalBytes } from '../../shared/codec.ts'
import type { Position } from '../../shared/cursor.ts'
import { checksumOf } from './hash.ts'
import type { ReadTables } from './read-tables.ts'
import type { SessionRow, SessionTable } from './session-table.ts'
import { entryKinds, type PutSnapshot } from './store.ts'
import { hasSequence } from './whole-rows.ts'

/**
 * Replaces the current snapshot if `replaces` names it and `covers` is a later place in the log. The one before stays,
 * with all entries since: what a bad snapshot left out is still there. There are never more than two, so the quota need not
 * refuse what leads back under it. Released keys stay for ever, so that nobody can hide that
 * they had them.
 */
export class SnapshotTables {
  readonly #sessions: SessionTable
  readonly #reads: ReadTables
  readonly #statements

  constructor(database: Database, sessions: SessionTable, reads: ReadTables) {
    this.#sessions = sessions
    this.#reads = reads
    this.#statements = prepareAll(database)
  }

  put(
    id: string,
    covers: Position | undefined,
    replaces: Uint8Array | undefined,
    envelope: Uint8Array,
  ): PutSnapshot {
    const session = this.#sessions.find(id)
    const current = session && this.#statements.current.get(session.key)
    if (!session || !covers || !this.#replaces(session, current, covers, replaces)) {
      return { outcome: 'outdated' }
    }
    const passed = this.#statements.lengths.get(session.key, current?.sequence ?? 0, covers.sequence)
    const checksum = checksumOf(envelope)
    this.#statements.insert.run(session.key, covers.sequence, covers.mark, checksum, envelope)
    session.snapshot = checksum
    session.entries -= passed?.entries ?? 0
    session.entryBytes -= passed?.bytes ?? 0
    session.bytes += envelope.length - this.#dropOlder(session)
    return { outcome: 'kept' }
  }

  #replaces(
    session: SessionRow,
    current: Current | undefined,
    covers: Position,
    replaces: Uint8Array | undefined,
  ): boolean {
    if (current ? !replaces || !equalBytes(current.id, replaces) : replaces) return false
    return covers.sequence > (current?.sequence ?? 0) && this.#reads.isPlace(session.key, covers)
  }

  /** Returns how many bytes are gone. However long the log is, each of its rows is looked at once. */
  #dropOlder(session: SessionRow): number {
    const { key, clearedTo } = session
    const { older, snapshotBytes, changeBytes, dropSnapshots, dropEntries } = this.#statements
    const oldest = older.get(key)?.sequence ?? 0
    const bytes = (snapshotBytes.get(key, oldest) ?? 0) + (changeBytes.get(key, clearedTo, oldest) ?? 0)
    dropSnapshots.run(key, oldest)
    dropEntries.run(key, clearedTo, oldest)
    session.clearedTo = oldest
    return bytes
  }
}

interface Current {
  readonly sequence: number
  readonly id: Buffer
}

function prepareAll(database: Database) {
  const whole = `session = ? AND ${hasSequence} AND typeof(id) = 'blob'`
  const changes = `session = ? AND sequence > ? AND sequence <= ? AND kind = ${entryKinds.change}`
  return {
    current: database.prepare<[number], Current>(
      `SELECT sequence, id FROM snapshots WHERE ${whole} ORDER BY sequence DESC LIMIT 1`,
    ),
    older: database.prepare<[number], { sequence: number }>(
      `SELECT sequence FROM snapshots WHERE ${whole} ORDER BY sequence DESC LIMIT 1 OFFSET 1`,
    ),
    insert: database.prepare<[number, number, Uint8Array, Uint8Array, Uint8Array]>(
      'INSERT INTO snapshots VALUES (?, ?, ?, ?, ?)',
    ),
    lengths: database.prepare<[number, number, number], { entries: number; bytes: number }>(
      `SELECT count(*) AS entries, ifnull(sum(length(envelope)), 0) AS bytes
       FROM entries WHERE session = ? AND sequence > ? AND sequence <= ?`,
    ),
    snapshotBytes: database
      .prepare<[number, number], number>(
        `SELECT ifnull(sum(length(envelope)), 0) FROM snapshots WHERE ${whole} AND sequence < ?`,
      )
      .pluck(),
    changeBytes: database
      .prepare<[number, number, number], number>(
        `SELECT ifnull(sum(length(envelope)), 0) FROM entries WHERE ${changes}`,
      )
      .pluck(),
    dropSnapshots: database.prepare<[number, number]>(
      'DELETE FROM snapshots WHERE session = ? AND sequence < ?',
    ),
    dropEntries: database.prepare<[number, number, number]>(`DELETE FROM entries WHERE ${changes}`),
  }
}
