import { setTimeout as wait } from 'node:timers/promises'
import Sqlite, { type Database, type Statement } from 'better-sqlite3'
import { equalBytes } from '../../shared/codec.ts'
import { parseSessionId } from '../../shared/id.ts'
import { unlessCorrupt } from './corrupt.ts'
import { prepareDropping } from './database.ts'
import { checksumOf } from './hash.ts'
import { mendIndexes } from './mending.ts'
import { keyedRows, type Rows, sequencedRows } from './readable-rows.ts'
import { shardOf } from './shard.ts'
import type { CheckedTable } from './store-protocol.ts'
import { hasSequence, isBytes, numberIn } from './whole-rows.ts'

/** How long one transaction takes sessions; whoever else has work to do gets it done in between. */
const turnMs = 20

export interface Taking {
  readonly shards: ReadonlySet<number>
  /** Sessions that came whole from another copy of this origin; those that come are added, once all of this one has come. */
  readonly whole: Set<string>
  /** Told of each row that could not be read. */
  readonly damaged: (table: CheckedTable) => void
  readonly signal?: AbortSignal
}

export interface TakenFrom {
  /** How far the copy had read the stream. */
  readonly applied: number
  readonly isWhole: boolean
}

/**
 * Takes the sessions of some shards, and which were deleted, from the copy of another database with the same origin. Where both have
 * a session the copy's takes its place; one that the copy cannot give whole, because pages are damaged, is added to what is here. One of
 * which the copy does not have what was said last here stays, and what comes after that in the copy is added. Rejects with SQLite's error when it cannot be read which sessions there
 * are, or which were deleted.
 */
export async function takeSessions(
  into: Database,
  copy: string,
  { shards, whole, damaged, signal }: Taking,
): Promise<TakenFrom> {
  const from = new Sqlite(copy)
  const isTaken = (id: string) => {
    const session = parseSessionId(id)
    return session !== undefined && shards.has(shardOf(session))
  }
  try {
    mendIndexes(from) // they say which rows there are
    const isDeleted = into.prepare<[string]>('SELECT 1 FROM deletions WHERE id = ?').pluck()
    const all = from.prepare<[], Known>('SELECT id, key FROM sessions').all()
    const wanted = all.filter(({ id }) => isTaken(id) && !whole.has(id)).values()
    const take = prepareTaking(into, from, damaged)
    const came: string[] = []
    let isWhole = true
    const takeSome = into.transaction(() => {
      const end = performance.now() + turnMs
      for (const session of wanted) {
        if (isDeleted.get(session.id)) continue // even since this began
        if (take(session)) came.push(session.id)
        else isWhole = false
        if (performance.now() > end) return true
      }
      return false
    })
    while (takeSome.immediate()) await wait(0, undefined, signal && { signal })
    takeDeletions(into, from, isTaken)
    for (const id of came) whole.add(id)
    return { applied: factIn(from, 'applied'), isWhole }
  } finally {
    from.close()
  }
}

interface Known {
  readonly id: string
  readonly key: number
}

interface StoredEntry {
  readonly sequence: number
  readonly checksum: Uint8Array
  readonly envelope: unknown
}

/** What a copy has of one session in one table. */
interface Found extends Rows {
  readonly table: CheckedTable
  readonly add: Statement<unknown[]>
}

/** Returns whether nothing was missing. */
function prepareTaking(
  into: Database,
  from: Database,
  damaged: Taking['damaged'],
): (session: Known) => boolean {
  const drop = prepareDropping(into)
  const own = into.prepare<[string], number>('SELECT key FROM sessions WHERE id = ?').pluck()
  const last = into.prepare<[number], StoredEntry>(
    `SELECT sequence, checksum, envelope FROM entries WHERE session = ? AND ${hasSequence} ORDER BY sequence DESC LIMIT 1`,
  )
  // Whoever has this database open finds a session where it was.
  const create = into.prepare<[number | undefined, string, number, number]>(
    'INSERT INTO sessions (key, id, head, day) VALUES (?, ?, ?, ?)',
  )
  const move = into.prepare<[number, number, number]>(
    'UPDATE sessions SET head = max(head, ?), day = max(day, ?) WHERE key = ?',
  )
  const dropKeys = into.prepare<[number]>('DELETE FROM deposits WHERE session = ?')
  const found = from.prepare<[number], { head: number; day: number }>(
    `SELECT ${numberIn('head')} AS head, ${numberIn('day')} AS day FROM sessions WHERE key = ?`,
  )
  const dayHere = daysBetween(into, from)
  const tables = [
    sequencedRows(from, 'entries', ['sequence', 'checksum', 'envelope', 'kind'], damaged),
    sequencedRows(from, 'snapshots', ['sequence', 'mark', 'id', 'envelope'], damaged),
    keyedRows(from, 'deposits', ['round', 'seal'], ['key', 'checksum'], damaged),
    keyedRows(from, 'releases', ['round'], ['body'], damaged),
  ].map(({ table, columns, read }) => {
    const places = columns.map(() => '?').join()
    const add = into.prepare<unknown[]>(
      `INSERT OR IGNORE INTO ${table} (session, ${columns}) VALUES (?, ${places})`,
    )
    return { table, read, add }
  })
  const placeOf = ({ key }: Known) => {
    const row = unlessCorrupt(
      () => found.get(key),
      () => undefined, // where its log ends, the log says as well
    )
    return { head: row?.head ?? 0, day: dayHere(row?.day || undefined) }
  }
  const begin = (session: Known, here?: number): number => {
    const { head, day } = placeOf(session)
    return Number(create.run(here, session.id, head, day).lastInsertRowid)
  }
  /** What comes after the last entry here. The keys are those of whoever read further: some of those here may be replaced by now. */
  const goOn = (from: Known, key: number, { sequence: last }: StoredEntry, found: readonly Found[]) => {
    const isFurther = ([sequence]: readonly unknown[]) => Number(sequence) > last
    if (!rowsOf(found, 'entries').some(isFurther)) return
    dropKeys.run(key)
    for (const { table, readable, add } of found) {
      const isSequenced = table === 'entries' || table === 'snapshots'
      for (const row of readable) if (!isSequenced || isFurther(row)) add.run(key, ...row)
    }
    const { head, day } = placeOf(from)
    move.run(head, day, key)
  }
  const lastWhole = (key: number) => {
    const entry = unlessCorrupt(
      () => last.get(key),
      () => undefined,
    )
    const isWhole = entry && isBytes(entry.envelope) && isBytes(entry.checksum)
    return isWhole && checksumOf(entry.envelope).equals(entry.checksum) ? entry : undefined
  }
  return (session) => {
    const found = tables.map(({ table, read, add }) => ({ ...read(session.key), table, add }))
    const isWhole = found.every(({ isAll }) => isAll)
    const known = own.get(session.id)
    const isReplaced = known !== undefined && isWhole
    const last = isReplaced ? lastWhole(known) : undefined
    if (isReplaced && last && !isPartOf(last, found)) {
      goOn(session, known, last, found)
      return true
    }
    if (isReplaced) for (const statement of drop) statement.run(known)
    const key = known === undefined || isReplaced ? begin(session, known) : known
    for (const { readable, add } of found) for (const row of readable) add.run(key, ...row)
    return isWhole
  }
}

/** False when a copy has something else, or nothing, where the log of a session ends here. Snapshots replace what comes before the older one. */
function isPartOf(last: StoredEntry, found: readonly Found[]): boolean {
  const [, older = 0] = rowsOf(found, 'snapshots')
    .map(([sequence]) => Number(sequence))
    .sort((a, b) => b - a)
  const isSame = ([sequence, checksum]: readonly unknown[]) =>
    Number(sequence) === last.sequence && isBytes(checksum) && equalBytes(checksum, last.checksum)
  return last.sequence <= older || rowsOf(found, 'entries').some(isSame)
}

function rowsOf(found: readonly Found[], of: CheckedTable): Rows['readable'] {
  return found.find(({ table }) => table === of)?.readable ?? []
}

/** Of what was deleted while this store was off, nothing stays here either. */
function takeDeletions(into: Database, from: Database, isTaken: (id: string) => boolean): void {
  const drop = prepareDropping(into)
  const own = into.prepare<[string], number>('SELECT key FROM sessions WHERE id = ?').pluck()
  const deleted = from
    .prepare<[], { id: string; day: number }>('SELECT id, day FROM deletions')
    .all()
    .filter(({ id }) => isTaken(id))
  const add = into.prepare<[string, number]>('INSERT OR REPLACE INTO deletions VALUES (?, ?)')
  const dayHere = daysBetween(into, from)
  into.transaction(() => {
    for (const { id, day } of deleted) {
      const known = own.get(id)
      if (known !== undefined) for (const statement of drop) statement.run(known)
      add.run(id, dayHere(day))
    }
  })()
}

/** Days are counted by each store for itself: what was unused for so many days still is. Whose day is not known was used today. */
function daysBetween(into: Database, from: Database): (day: number | undefined) => number {
  const [here, there] = [factIn(into, 'day'), factIn(from, 'day')]
  return (day = there) => day + here - there
}

function factIn(database: Database, name: string): number {
  return Number(database.prepare<[string]>('SELECT value FROM facts WHERE name = ?').pluck().get(name) ?? 0)
}
