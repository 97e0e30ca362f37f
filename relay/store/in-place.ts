import { statSync } from 'node:fs'

/** What is said in the place of SQLite's code. */
export const takenAway = 'TAKEN_AWAY'

/**
 * For files that stay open: whether their names still lead to them. What is written to one that was removed or moved away nobody finds
 * at the next start, and SQLite, which keeps its write-ahead log while a database is open, does not look. It takes microseconds to ask.
 */
export function watchPlaces(paths: readonly string[]): () => boolean {
  const own = paths.map(placeOf)
  return () => {
    try {
      return paths.every((path, at) => placeOf(path) === own[at])
    } catch {
      return true // that the file system does not say is for SQLite to meet
    }
  }
}

function placeOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found && `${found.dev} ${found.ino}`
}
