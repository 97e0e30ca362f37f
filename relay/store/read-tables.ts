import type { Database } from 'better-sqlite3'
import { equalBytes } from '../../shared/codec.ts'
import { markBytes, type Position } from '../../shared/cursor.ts'
import type { Row } from './batch.ts'
import { unlessCorrupt } from './corrupt.ts'
import { checksumBytes, checksumOf, markOf } from './hash.ts'
import { entryKinds } from './store.ts'
import type { CheckedTable } from './store-protocol.ts'
import { hasSequence, isBytes, numberIn } from './whole-rows.ts'

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

/** As a disk gives it, which may be anything. */
interface StoredEntry {
  readonly sequence: number
  readonly checksum: unknown
  readonly envelope: unknown
  readonly kind: number
}

interface StoredSnapshot {
  readonly sequence: number
  readonly mark: unknown
  readonly id: unknown
  readonly envelope: unknown
}

export type Damage = (table: CheckedTable) => void

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
    const released = snapshot && this.#releasedUpTo(key, snapshot.covers)
    // From their end on a reader goes on with all that is there, whatever the snapshot covers of it.
    if (released?.more) return { resumed: false, snapshot, ...released }
    const page = this.#entries(key, snapshot?.covers)
    return { resumed: false, snapshot, ...page, rows: [...(released?.rows ?? []), ...page.rows] }
  }

  /** True for the place of an entry in the log, and for the end of what a kept snapshot covers. */
  isPlace(key: number, position: Position): boolean {
    const entry = this.#statements.checksum.get(key, position.sequence)
    if (entry) return isBytes(entry.checksum) && equalBytes(markOf(entry.checksum), position.mark)
    const covered = this.#statements.covered.get(key, position.sequence)
    return isBytes(covered?.mark) && equalBytes(covered.mark, position.mark)
  }

  #snapshot(key: number, generation: number): RawPage['snapshot'] {
    const { snapshots, snapshotSequences, snapshot } = this.#statements
    const kept = unlessCorrupt(
      () => snapshots.all(key),
      () =>
        this.#oneByOne(snapshotSequences.all(key), (sequence) => snapshot.get(key, sequence), 'snapshots'),
    )
    for (const { sequence, mark, id, envelope } of kept.slice(generation)) {
      const isWhole = isBytes(envelope) && isBytes(id) && equalBytes(checksumOf(envelope), id)
      if (isWhole && isBytes(mark, markBytes) && this.#covers(key, { sequence, mark }))
        return { id, covers: { sequence, mark }, envelope }
      this.#damaged('snapshots')
    }
    return undefined
  }

  /** A place that the log reached: entries before a snapshot that has none would be hidden by it. */
  #covers(key: number, { sequence, mark }: Position): boolean {
    const entry = this.#statements.checksum.get(key, sequence)
    if (entry) return isBytes(entry.checksum) && equalBytes(markOf(entry.checksum), mark)
    return sequence > 0 && this.#statements.behind.get(key, sequence) !== undefined
  }

  /** What a snapshot covers of what was released: whoever made it may have left that out. */
  #releasedUpTo(key: number, { sequence }: Position): Entries {
    const isCovered = (row: StoredEntry) => isReleased(row) && row.sequence <= sequence
    return unlessCorrupt(
      () => this.#page(undefined, this.#statements.released.iterate(key, sequence)),
      () => this.#page(undefined, this.#rowsOneByOne(key, 0).filter(isCovered)),
    )
  }

  #whole({ sequence, checksum, envelope, kind }: StoredEntry): Row | undefined {
    const isWhole = isBytes(envelope) && isBytes(checksum) && equalBytes(checksumOf(envelope), checksum)
    if (!isWhole || sequence === 0) return undefined
    return {
      session: '',
      sequence,
      previous: 0,
      checksum,
      kind: kind === entryKinds.released ? kind : entryKinds.change,
      envelope,
    }
  }

  #entries(key: number, after: Position | undefined): Entries {
    const from = after?.sequence ?? 0
    return unlessCorrupt(
      () => this.#page(after, this.#statements.entries.iterate(key, from)),
      () => this.#page(after, this.#rowsOneByOne(key, from)),
    )
  }

  #page(after: Position | undefined, found: Iterable<StoredEntry>): Entries {
    const rows: Row[] = []
    let upTo = after
    let bytes = 0
    for (const stored of found) {
      if (bytes >= pageBytes) return { rows, upTo, more: true }
      const { sequence, checksum } = stored
      if (sequence > 0 && isBytes(checksum, checksumBytes)) upTo = { sequence, mark: markOf(checksum) }
      const row = this.#whole(stored)
      if (row) {
        bytes += row.envelope.length
        rows.push(row)
      } else this.#damaged('entries')
    }
    return { rows, upTo, more: false }
  }

  #rowsOneByOne(key: number, after: number): StoredEntry[] {
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

function isReleased({ kind }: StoredEntry): boolean {
  return kind === entryKinds.released
}

const entryColumns = `${numberIn('sequence')} AS sequence, checksum, envelope, ${numberIn('kind')} AS kind`
const snapshotColumns = `${numberIn('sequence')} AS sequence, mark, id, envelope`

function prepareAll(database: Database) {
  return {
    checksum: database.prepare<[number, number], { checksum: unknown }>(
      'SELECT checksum FROM entries WHERE session = ? AND sequence = ?',
    ),
    behind: database.prepare<[number, number], { sequence: number }>(
      `SELECT sequence FROM entries WHERE session = ? AND sequence > ? AND ${hasSequence} LIMIT 1`,
    ),
    covered: database.prepare<[number, number], { mark: unknown }>(
      'SELECT mark FROM snapshots WHERE session = ? AND sequence = ?',
    ),
    snapshots: database.prepare<[number], StoredSnapshot>(
      `SELECT ${snapshotColumns} FROM snapshots WHERE session = ? ORDER BY snapshots.sequence DESC`,
    ),
    snapshotSequences: database
      .prepare<[number], number>(
        `SELECT sequence FROM snapshots WHERE session = ? AND ${hasSequence} ORDER BY sequence DESC`,
      )
      .pluck(),
    snapshot: database.prepare<[number, number], StoredSnapshot>(
      `SELECT ${snapshotColumns} FROM snapshots WHERE session = ? AND snapshots.sequence = ?`,
    ),
    released: database.prepare<[number, number], StoredEntry>(
      `SELECT ${entryColumns} FROM entries
       WHERE session = ? AND sequence <= ? AND kind = ${entryKinds.released} ORDER BY entries.sequence`,
    ),
    entries: database.prepare<[number, number], StoredEntry>(
      `SELECT ${entryColumns} FROM entries
       WHERE session = ? AND entries.sequence > ? ORDER BY entries.sequence`,
    ),
    sequences: database
      .prepare<[number, number], number>(
        `SELECT sequence FROM entries WHERE session = ? AND sequence > ? AND ${hasSequence} ORDER BY sequence`,
      )
      .pluck(),
    entry: database.prepare<[number, number], StoredEntry>(
      `SELECT ${entryColumns} FROM entries WHERE session = ? AND entries.sequence = ?`,
    ),
  }
}
