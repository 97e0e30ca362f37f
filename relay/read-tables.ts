import type { Database } from 'better-sqlite3'
import { equalBytes } from '../shared/codec.ts'
import type { Position } from '../shared/cursor.ts'
import type { Row } from './batch.ts'
import { unlessCorrupt } from './corrupt.ts'
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

type Entries = Pick<RawPage, 'rows' | 'upTo' | 'more'>

interface EntryRow {
  readonly sequence: number
  readonly checksum: Buffer
  readonly envelope: Buffer
  readonly kind: EntryKind
}

interface SnapshotRow {
  readonly sequence: number
  readonly mark: Buffer
  readonly id: Buffer
  readonly envelope: Buffer
}

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
    const { snapshots, snapshotSequences, snapshot } = this.#statements
    const kept = unlessCorrupt(
      () => snapshots.all(key),
      () =>
        this.#oneByOne(snapshotSequences.all(key), (sequence) => snapshot.get(key, sequence), 'snapshots'),
    )
    for (const { sequence, mark, id, envelope } of kept.slice(generation)) {
      if (equalBytes(checksumOf(envelope), id)) return { id, covers: { sequence, mark }, envelope }
      this.#damaged('snapshots')
    }
    return undefined
  }

  /** What a snapshot covers of what was released: whoever made it may have left that out. */
  #releasedUpTo(key: number, { sequence }: Position): Row[] {
    const covered = unlessCorrupt(
      () => this.#statements.released.all(key, sequence),
      () => this.#rowsOneByOne(key, 0).filter((row) => isReleased(row) && row.sequence <= sequence),
    )
    return covered.flatMap((row) =>
      equalBytes(checksumOf(row.envelope), row.checksum) ? [{ session: '', previous: 0, ...row }] : [],
    )
  }

  #entries(key: number, after: Position | undefined): Entries {
    const from = after?.sequence ?? 0
    return unlessCorrupt(
      () => this.#page(after, this.#statements.entries.iterate(key, from)),
      () => this.#page(after, this.#rowsOneByOne(key, from)),
    )
  }

  #page(after: Position | undefined, found: Iterable<EntryRow>): Entries {
    const rows: Row[] = []
    let upTo = after
    let bytes = 0
    for (const { sequence, checksum, envelope, kind } of found) {
      if (bytes >= pageBytes) return { rows, upTo, more: true }
      upTo = { sequence, mark: markOf(checksum) }
      bytes += envelope.length
      if (equalBytes(checksumOf(envelope), checksum)) {
        rows.push({ session: '', sequence, previous: 0, checksum, kind, envelope })
      } else this.#damaged('entries')
    }
    return { rows, upTo, more: false }
  }

  #rowsOneByOne(key: number, after: number): EntryRow[] {
    const { sequences, entry } = this.#statements
    return this.#oneByOne(sequences.all(key, after), (sequence) => entry.get(key, sequence), 'entries')
  }

  /** Indexes lie on other pages than the rows, so they still know what there was. */
  #oneByOne<Found>(
    sequences: readonly number[],
    read: (sequence: number) => Found | undefined,
    table: 'entries' | 'snapshots',
  ): Found[] {
    return sequences.flatMap((sequence) => {
      const row = unlessCorrupt(
        () => read(sequence),
        () => undefined,
      )
      if (!row) this.#damaged(table)
      return row ?? []
    })
  }
}

function isReleased({ kind }: EntryRow): boolean {
  return kind === entryKinds.released
}

function prepareAll(database: Database) {
  return {
    checksum: database.prepare<[number, number], { checksum: Buffer }>(
      'SELECT checksum FROM entries WHERE session = ? AND sequence = ?',
    ),
    covered: database.prepare<[number, number], { mark: Buffer }>(
      'SELECT mark FROM snapshots WHERE session = ? AND sequence = ?',
    ),
    snapshots: database.prepare<[number], SnapshotRow>(
      'SELECT sequence, mark, id, envelope FROM snapshots WHERE session = ? ORDER BY sequence DESC',
    ),
    snapshotSequences: database
      .prepare<[number], number>('SELECT sequence FROM snapshots WHERE session = ? ORDER BY sequence DESC')
      .pluck(),
    snapshot: database.prepare<[number, number], SnapshotRow>(
      'SELECT sequence, mark, id, envelope FROM snapshots WHERE session = ? AND sequence = ?',
    ),
    released: database.prepare<[number, number], EntryRow>(
      `SELECT sequence, checksum, envelope, kind FROM entries
       WHERE session = ? AND sequence <= ? AND kind = ${entryKinds.released} ORDER BY sequence`,
    ),
    entries: database.prepare<[number, number], EntryRow>(
      `SELECT sequence, checksum, envelope, kind FROM entries
       WHERE session = ? AND sequence > ? ORDER BY sequence`,
    ),
    sequences: database
      .prepare<[number, number], number>(
        'SELECT sequence FROM entries WHERE session = ? AND sequence > ? ORDER BY sequence',
      )
      .pluck(),
    entry: database.prepare<[number, number], EntryRow>(
      'SELECT sequence, checksum, envelope, kind FROM entries WHERE session = ? AND sequence = ?',
    ),
  }
}
