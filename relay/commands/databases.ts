import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'
import { DamageError, SetupError } from '../settings/setup-error.ts'
import { isCorrupt } from '../store/corrupt.ts'
import { databaseName, explainDamage, explainReadOnly, isReadOnly, refuseEmptied } from '../store/database.ts'

/** Where a data folder has databases, as paths in it: one, or in a region's store one folder for each stream there ever was. */
export function databasesIn(dataDir: string): string[] {
  const remedy = 'Set DATA_DIR to the data folder of your relay'
  if (!existsSync(dataDir)) throw new SetupError(`There is no folder ${dataDir}. ${remedy}`)
  const found = [databaseName, ...regionDatabases(dataDir)].filter((path) => existsSync(join(dataDir, path)))
  if (found.length === 0) throw new SetupError(`There is no database in ${dataDir}. ${remedy}`)
  return found
}

/** One process alone does not read them: people would find their sessions empty. */
export function refuseRegionStore(dataDir: string): void {
  const found = ownRegionDatabase(dataDir)
  if (found === undefined) return
  throw new SetupError(
    `DATA_DIR has the database of a region's store (${found}), which one process alone does not read. Set NATS_URL and REGION as they were, or DATA_DIR to another folder`,
  )
}

/** Somebody may keep copies of a single relay's database in such folders, too: those have another origin. */
function ownRegionDatabase(dataDir: string): string | undefined {
  try {
    return regionDatabases(dataDir).find((path) => originIn(join(dataDir, path)) === dirname(path))
  } catch {
    return undefined // whoever opens the database there says what is wrong with the folder
  }
}

function originIn(path: string): unknown {
  if (!existsSync(path)) return undefined
  const database = openToRead(path)
  try {
    return database.prepare(`SELECT value FROM facts WHERE name = 'origin'`).pluck().get()
  } finally {
    database.close()
  }
}

function regionDatabases(dataDir: string): string[] {
  return readdirSync(dataDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isRegionFolder(entry.name))
    .map(({ name }) => join(name, databaseName))
}

/** They are named like a stream's origin, a region, a hyphen and the time it was made, or like a single relay's, with a dot. */
export function isRegionFolder(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,15}[-.][a-z0-9]{1,20}$/.test(name)
}

/** Its own process may go on writing to it. */
export function openToRead(path: string): Database {
  refuseEmptied(path)
  try {
    const database = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: 5000 })
    database.pragma('cache_size = -16384')
    database.pragma('user_version') // the first to be read: is it a database at all?
    return database
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError)) throw error
    throw explain(error, path)
  }
}

function explain(error: InstanceType<typeof Sqlite.SqliteError>, path: string): SetupError {
  const { code, message } = error
  if (code === 'SQLITE_NOTADB' || isCorrupt(error)) return new DamageError(explainDamage(path))
  if (isReadOnly(path)) return new SetupError(explainReadOnly(path))
  // Whoever reads a database shares memory with its writer, in a file beside it.
  if (code === 'SQLITE_CANTOPEN' || code.startsWith('SQLITE_READONLY')) {
    return new SetupError(
      `The database ${path} belongs to somebody else. Run this as the user who starts the relay`,
    )
  }
  return new SetupError(`The database ${path} cannot be read (${code}: ${message})`)
}
