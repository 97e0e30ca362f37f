import type { Database } from 'better-sqlite3'
import { equalBytes } from '../shared/codec.ts'
import type { Position } from '../shared/cursor.ts'
import type { Row } from './batch.ts'
import { checksumOf, markOf } from './hash.ts'
import { type EntryKind, entryKinds } from './store.ts'

/** A page of a log as the store's thread sends it. */
export interface RawPage {
  readonly resumed: boolean
  readonly snapshot:
    | { readonly id: Uint8Array; readonly covers: Position; readonly envelope: Uint8Array }
    | undefined
  readonly rows: readonly Row[]
  readonly upTo: Position | undefined
  readonly more: boolean
}

/** Entries of one page, so that one reader of a long log does not hold up everybody's appends. */
const pageBytes = 262_144

export type Damage = (table: 'entries' | 'snapshots') => void

/** Reading the logs of a database. Rows whose checksum does not match are reported and left out. */
export class ReadTables {
  readonly #statements
  readonly #damaged: Damage

  constructor(database: Database, damaged: Damage) {
    this.#statements = prepareAll(database)
    this.#damaged = damaged
  }

  since(key: number, after: Position | undefined, generation: number): RawPage {
    if (after && generation === 0 && this.isPlace(key, after)) {
      return { resumed: true, snapshot: undefined, ...this.#entries(key, after) }
    }
    const snapshot = this.#snapshot(key, generation)
    const page = this.#entries(key, snapshot?.covers)
    const released = snapshot ? this.#releasedUpTo(key, snapshot.covers) : []
    return { resumed: false, snapshot, ...page, rows: [...released, ...page.rows] }
  }

  /** True for the place of an entry in the log, and for the end of what a kept snapshot covers. */
  isPlace(key: number, position: Position): boolean {
    const entry = this.#statements.checksum.get(key, position.sequence)
    if (entry) return equalBytes(markOf(entry.checksum), position.mark)
    const covered = this.#statements.covered.get(key, position.sequence)
    return covered !== undefined && equalBytes(covered.mark, position.mark)
  }

  #snapshot(key: number, generation: number): RawPage['snapshot'] {
    for (const { sequence, mark, id, envelope } of this.#statements.snapshots.all(key).slice(generation)) {
      if (equalBytes(checksumOf(envelope), id)) return { id, covers: { sequence, mark }, envelope }
      this.#damaged('snapshots')
    }
    return undefined
  }

  /** What a snapshot covers of what was released: whoever made it may have left that out. */
  #releasedUpTo(key: number, { sequence }: Position): Row[] {
    return this.#statements.released
      .all(key, sequence)
      .flatMap((row) =>
        equalBytes(checksumOf(row.envelope), row.checksum) ? [{ session: '', previous: 0, ...row }] : [],
      )
  }

  #entries(key: number, after: Position | undefined): Pick<RawPage, 'rows' | 'upTo' | 'more'> {
    const rows: Row[] = []
    let upTo = after
    let bytes = 0
    for (const { sequence, checksum, envelope, kind } of this.#statements.entries.iterate(
      key,
      after?.sequence ?? 0,
    )) {
      if (bytes >= pageBytes) return { rows, upTo, more: true }
      upTo = { sequence, mark: markOf(checksum) }
      bytes += envelope.length
      if (equalBytes(checksumOf(envelope), checksum)) {
        rows.push({ session: '', sequence, previous: 0, checksum, kind, envelope })
      } else this.#damaged('entries')
    }
    return { rows, upTo, more: false }
  }
}

function prepareAll(database: Database) {
  return {
    checksum: database.prepare<[number, number], { checksum: Buffer }>(
      'SELECT checksum FROM entries WHERE session = ? AND sequence = ?',
    ),
    covered: database.prepare<[number, number], { mark: Buffer }>(
      'SELECT mark FROM snapshots WHERE session = ? AND sequence = ?',
    ),
    snapshots: database.prepare<[number], { sequence: number; mark: Buffer; id: Buffer; envelope: Buffer }>(
      'SELECT sequence, mark, id, envelope FROM snapshots WHERE session = ? ORDER BY sequence DESC',
    ),
    released: database.prepare<
      [number, number],
      { sequence: number; checksum: Buffer; envelope: Buffer; kind: EntryKind }
    >(
      `SELECT sequence, checksum, envelope, kind FROM entries
       WHERE session = ? AND sequence <= ? AND kind = ${entryKinds.released} ORDER BY sequence`,
    ),
    entries: database.prepare<
      [number, number],
      { sequence: number; checksum: Buffer; envelope: Buffer; kind: EntryKind }
    >(
      `SELECT sequence, checksum, envelope, kind FROM entries
       WHERE session = ? AND sequence > ? ORDER BY sequence`,
    ),
  }
}
