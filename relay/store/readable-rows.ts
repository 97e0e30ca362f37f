import type { Database } from 'better-sqlite3'
import { unlessCorrupt } from './corrupt.ts'
import type { CheckedTable } from './store-protocol.ts'
import { hasSequence } from './whole-rows.ts'

/** The rows of a session in one table of a database that may be damaged. */
export interface ReadableRows {
  readonly table: CheckedTable
  readonly columns: readonly string[]
  readonly read: (session: number) => Rows
}

export interface Rows {
  /** Values as they are, whatever a disk made of them. */
  readonly readable: readonly (readonly unknown[])[]
  readonly isAll: boolean
}

/** Told of each row, or page of them, that could not be read. */
type Damaged = (table: CheckedTable) => void

/** Rows that an index on other pages knows, so that each can be tried. */
export function sequencedRows(
  from: Database,
  table: 'entries' | 'snapshots',
  columns: readonly string[],
  damaged: Damaged,
): ReadableRows {
  const rows = `SELECT ${columns} FROM ${table} WHERE session = ?`
  const all = raw<[number]>(from, rows)
  const sequences = from
    .prepare<[number], number>(`SELECT sequence FROM ${table} WHERE session = ? AND ${hasSequence}`)
    .pluck()
  const one = raw<[number, number]>(from, `${rows} AND sequence = ?`)
  const oneByOne = (key: number): Rows => {
    const known = sequences.all(key)
    const readable = known.flatMap((sequence) => {
      const row = unlessCorrupt(
        () => one.get(key, sequence),
        () => undefined,
      )
      if (!row) damaged(table)
      return row ? [row] : []
    })
    return { readable, isAll: readable.length === known.length }
  }
  const read = (key: number) =>
    unlessCorrupt(
      () => ({ readable: all.all(key), isAll: true }),
      () => oneByOne(key),
    )
  return { table, columns, read }
}

/** Rows that lie in the order of their names: what comes before a damaged page can be read, and what comes behind it. */
export function keyedRows(
  from: Database,
  table: 'deposits' | 'releases',
  names: readonly string[],
  rest: readonly string[],
  damaged: Damaged,
): ReadableRows {
  const columns = [...names, ...rest]
  const ordered = (order: 'ASC' | 'DESC') =>
    raw<[number]>(
      from,
      `SELECT ${columns} FROM ${table} WHERE session = ? ORDER BY ${names.map((name) => `${name} ${order}`)}`,
    )
  const [forwards, backwards] = [ordered('ASC'), ordered('DESC')]
  const read = (key: number): Rows => {
    const before = upToDamage(forwards.iterate(key))
    if (before.isAll) return before
    damaged(table)
    return { readable: [...before.readable, ...upToDamage(backwards.iterate(key)).readable], isAll: false }
  }
  return { table, columns, read }
}

function upToDamage(rows: Iterable<readonly unknown[]>): Rows {
  const readable: (readonly unknown[])[] = []
  const isAll = unlessCorrupt(
    () => {
      for (const row of rows) readable.push(row)
      return true
    },
    () => false,
  )
  return { readable, isAll }
}

function raw<Parameters extends unknown[]>(from: Database, sql: string) {
  return from.prepare<Parameters, readonly unknown[]>(sql).raw().safeIntegers()
}
