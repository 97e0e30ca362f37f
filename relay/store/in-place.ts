import { statSync } from 'node:fs'

/** What is said in the place of SQLite's code. */
export const takenAway = 'TAKEN_AWAY'

/**
 * For a file that stays open: whether its name still leads to it. What is written to one that was removed or moved away nobody finds
 * at the next start, and SQLite does not look. It takes microseconds to ask.
 */
export function watchPlace(path: string): () => boolean {
  const own = placeOf(path)
  return () => {
    try {
      return placeOf(path) === own
    } catch {
      return true // that the file system does not say is for SQLite to meet
    }
  }
}

function placeOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found && `${found.dev} ${found.ino}`
}
