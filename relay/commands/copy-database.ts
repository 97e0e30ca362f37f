import type { Database } from 'better-sqlite3'
import { SetupError } from '../settings/setup-error.ts'
import { versions } from '../store/database.ts'
import { createBreathing } from './breathe.ts'
import { openToRead } from './databases.ts'

/** Pages at once: half a megabyte, after which whatever else has to be done is. */
const pagesAtOnce = 128

/**
 * A database as it was at one moment, page by page, while its relay goes on writing. The transaction keeps that moment, so
 * that SQLite's backup does not begin again with every commit of the relay.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  const database = openToRead(from)
  try {
    requireSchema(database, from)
    database.exec('BEGIN')
    database.prepare('SELECT count(*) FROM sqlite_schema').get() // reads, which is when it begins
    const breathe = createBreathing(1)
    await database.backup(to, {
      progress: () => {
        breathe()
        return pagesAtOnce
      },
    })
  } finally {
    database.close()
  }
}

/** Rows of other versions look otherwise. */
export function requireSchema(database: Database, path: string): void {
  const version = schemaOf(database)
  if (version === versions.length) return
  throw new SetupError(
    version > versions.length
      ? `The database ${path} was made by a newer version of the relay (format ${version})`
      : `The database ${path} is of an earlier version (format ${version}). Use the program of that version, or let this relay start once, which brings it up to date`,
  )
}

export function schemaOf(database: Database): number {
  return Number(database.pragma('user_version', { simple: true }))
}
