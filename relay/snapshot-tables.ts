import type { Database } from 'better-sqlite3'
import { equalBytes } from '../shared/codec.ts'
import type { Position } from '../shared/cursor.ts'
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
    if (!session || !covers || !this.#replaces(session, covers, replaces)) return { outcome: 'outdated' }
    const { insert, older, dropSnapshots, dropEntries } = this.#statements
    const checksum = checksumOf(envelope)
    insert.run(session.key, covers.sequence, covers.mark, checksum, envelope)
    const oldest = older.get(session.key)?.sequence ?? 0
    dropSnapshots.run(session.key, oldest)
    dropEntries.run(session.key, oldest)
    this.#sessions.forget(id)
    return { outcome: 'kept' }
  }

  #replaces(session: SessionRow, covers: Position, replaces: Uint8Array | undefined): boolean {
    const current = this.#statements.current.get(session.key)
    if (current ? !replaces || !equalBytes(current.id, replaces) : replaces) return false
    return covers.sequence > (current?.sequence ?? 0) && this.#reads.isPlace(session.key, covers)
  }
}

function prepareAll(database: Database) {
  const whole = `session = ? AND ${hasSequence} AND typeof(id) = 'blob'`
  return {
    current: database.prepare<[number], { sequence: number; id: Buffer }>(
      `SELECT sequence, id FROM snapshots WHERE ${whole} ORDER BY sequence DESC LIMIT 1`,
    ),
    older: database.prepare<[number], { sequence: number }>(
      `SELECT sequence FROM snapshots WHERE ${whole} ORDER BY sequence DESC LIMIT 1 OFFSET 1`,
    ),
    insert: database.prepare<[number, number, Uint8Array, Uint8Array, Uint8Array]>(
      'INSERT INTO snapshots VALUES (?, ?, ?, ?, ?)',
    ),
    dropSnapshots: database.prepare<[number, number]>(
      'DELETE FROM snapshots WHERE session = ? AND sequence < ?',
    ),
    dropEntries: database.prepare<[number, number]>(
      `DELETE FROM entries WHERE session = ? AND sequence <= ? AND kind = ${entryKinds.change}`,
    ),
  }
}
