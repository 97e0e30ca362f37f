import Sqlite from 'better-sqlite3'

/**
 * Holds a file for this process alone until released; undefined while another one holds it. It is an open transaction: the
 * operating system ends it with the process, however that dies.
 */
export function lockFile(path: string): (() => void) | undefined {
  const lock = new Sqlite(path, { timeout: 500 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return () => lock.close()
  } catch (error) {
    lock.close()
    if (error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')) return undefined
    throw error
  }
}
