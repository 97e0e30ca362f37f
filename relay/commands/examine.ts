import Sqlite, { type Database } from 'better-sqlite3'
import { equalBytes } from '../../shared/codec.ts'
import { boxKeyBytes, decodeReleased, nameBytes } from '../../shared/escrow.ts'
import { parseSessionId } from '../../shared/id.ts'
import { isCorrupt } from '../store/corrupt.ts'
import { checksumOf, depositChecksum } from '../store/hash.ts'
import { isBytes } from '../store/whole-rows.ts'

export const tables = ['sessions', 'entries', 'snapshots', 'deposits', 'releases', 'deletions'] as const
export type Table = (typeof tables)[number]
export type Counts = Readonly<Record<Table, number>>

export interface Examination {
  readonly rows: Counts
  readonly damaged: Counts
  /** What SQLite finds wrong with its pages and indexes, in its words. */
  readonly pages: readonly string[]
}

type Columns = Readonly<Record<string, unknown>>

/** What makes a row of each table whole. */
const isWhole: Record<Table, (row: Columns) => boolean> = {
  sessions: ({ id }) => typeof id === 'string' && parseSessionId(id) !== undefined,
  entries: ({ checksum, envelope, sequence, known }) =>
    known === 1 &&
    typeof sequence === 'bigint' &&
    sequence > 0n &&
    isBytes(envelope) &&
    isBytes(checksum) &&
    equalBytes(checksumOf(envelope), checksum),
  snapshots: ({ id, envelope, known }) =>
    known === 1 && isBytes(envelope) && isBytes(id) && equalBytes(checksumOf(envelope), id),
  deposits: ({ round, seal, key, checksum, known }) =>
    known === 1 &&
    isBytes(round, nameBytes) &&
    isBytes(seal, nameBytes) &&
    isBytes(key, boxKeyBytes) &&
    isBytes(checksum) &&
    equalBytes(depositChecksum(round, seal, key), checksum),
  releases: ({ body, known }) => known === 1 && isBytes(body) && decodeReleased(body) !== undefined,
  deletions: ({ id }) => typeof id === 'string' && parseSessionId(id) !== undefined,
}

/** Rows of no session would never be read and never be deleted. */
const known = 'EXISTS (SELECT 1 FROM sessions WHERE sessions.key = session) AS known'
const columns: Record<Table, string> = {
  sessions: 'id',
  entries: `sequence, checksum, envelope, ${known}`,
  snapshots: `id, envelope, ${known}`,
  deposits: `round, seal, key, checksum, ${known}`,
  releases: `body, ${known}`,
  deletions: 'id',
}

/** Reads every row of a database of the present version, and every page; `breathe` is called between rows. */
export function examine(database: Database, breathe = () => {}): Examination {
  const rows = noCounts()
  const damaged = noCounts()
  const pages = pagesOf(database)
  for (const table of tables) {
    const found = attempt(() => {
      const all = database.prepare<[], Columns>(`SELECT ${columns[table]} FROM ${table}`).safeIntegers()
      for (const row of all.iterate()) {
        breathe()
        rows[table]++
        if (!isWhole[table]({ ...row, known: Number(row.known) })) damaged[table]++
      }
    })
    if (found) pages.push(`${table}: ${found}`)
  }
  return { rows, damaged, pages }
}

export function isSound({ damaged, pages }: Examination): boolean {
  return pages.length === 0 && tables.every((table) => damaged[table] === 0)
}

function noCounts(): Record<Table, number> {
  return { sessions: 0, entries: 0, snapshots: 0, deposits: 0, releases: 0, deletions: 0 }
}

function pagesOf(database: Database): string[] {
  let found: string[] = []
  const failed = attempt(() => {
    const lines = database.prepare('PRAGMA integrity_check(10)').pluck().all() as string[]
    found = lines.filter((line) => line !== 'ok')
  })
  return failed ? [...found, failed] : found
}

/** What SQLite says when it stumbles over a damaged page. */
function attempt(read: () => void): string | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    if (error instanceof Sqlite.SqliteError && isCorrupt(error)) return error.message
    throw error
  }
}
