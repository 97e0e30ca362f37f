import Sqlite from 'better-sqlite3'

/** A page of the database's file is not what it was. */
export function isCorrupt(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_CORRUPT')
}

/** What can be read, or something else where the page it lies on cannot be. */
export function unlessCorrupt<Value, Other>(read: () => Value, otherwise: () => Other): Value | Other {
  try {
    return read()
  } catch (error) {
    if (!isCorrupt(error)) throw error
    return otherwise()
  }
}
