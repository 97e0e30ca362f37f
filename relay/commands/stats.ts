import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { DamageError } from '../settings/setup-error.ts'
import { unlessCorrupt } from '../store/corrupt.ts'
import { requireSchema } from './copy-database.ts'
import { databasesIn, openToRead } from './databases.ts'
import { type Counts, tables } from './examine.ts'

/** Counts and sizes; nothing that tells one session from another. */
export interface Stats {
  readonly path: string
  readonly bytes: {
    readonly database: number
    readonly writeAheadLog: number
    /** Pages that are free again, which new rows take first. */
    readonly free: number
    readonly envelopes: number
    readonly largestSession: number
  }
  readonly rows: Counts
  /** How many sessions were used last so many days ago, or more. */
  readonly idleSessions: { readonly days: number; readonly sessions: number }[]
}

const idleDays = [1, 7, 30, 90] as const

export function statsOf(dataDir: string): Stats[] {
  return databasesIn(dataDir).map((path) => {
    const place = join(dataDir, path)
    const database = openToRead(place)
    try {
      requireSchema(database, path)
      return unlessCorrupt(
        database.transaction(() => measure(database, path, place)),
        () => refuse(place),
      )
    } finally {
      database.close()
    }
  })
}

function refuse(place: string): never {
  throw new DamageError(
    `The database ${place} is damaged and cannot be counted. facedown check says what can still be read; to go back to a backup: facedown restore`,
  )
}

function measure(database: Database, path: string, place: string): Stats {
  const number = (sql: string, ...values: number[]) =>
    Number(
      database
        .prepare(sql)
        .pluck()
        .get(...values) ?? 0,
    )
  const pageSize = number('SELECT page_size FROM pragma_page_size')
  const rows = Object.fromEntries(
    tables.map((table) => [table, number(`SELECT count(*) FROM ${table}`)]),
  ) as Counts
  const bytesOfEach = `
    SELECT sum(bytes) AS bytes FROM (
      SELECT session, sum(length(envelope)) AS bytes FROM entries GROUP BY session
      UNION ALL SELECT session, sum(length(envelope)) FROM snapshots GROUP BY session
    ) GROUP BY session`
  const today = number(`SELECT value FROM facts WHERE name = 'day'`)
  return {
    path,
    bytes: {
      database: statSync(place).size,
      writeAheadLog: statSync(`${place}-wal`, { throwIfNoEntry: false })?.size ?? 0,
      free: pageSize * number('SELECT freelist_count FROM pragma_freelist_count'),
      envelopes: number(`SELECT sum(bytes) FROM (${bytesOfEach})`),
      largestSession: number(`SELECT max(bytes) FROM (${bytesOfEach})`),
    },
    rows,
    idleSessions: idleDays.map((days) => ({
      days,
      sessions: number('SELECT count(*) FROM sessions WHERE day <= ?', today - days),
    })),
  }
}
