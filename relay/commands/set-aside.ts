import { copyFileSync, existsSync, linkSync, mkdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { syncFolder } from './durable.ts'

/**
 * Gives a database a second name in a folder beside it, and takes away the write-ahead log that belongs to it alone, also where
 * somebody moved the database and left the log: SQLite would take that for what comes after any other database of its name. The
 * database keeps its own name until another file takes that: a relay that finds none would begin an empty one.
 */
export function setAside(place: string): string | undefined {
  const found = [place, `${place}-wal`].filter((path) => existsSync(path))
  if (found.length === 0) return undefined
  const folder = join(dirname(place), `replaced-${new Date().toISOString().replace(/[:.]/g, '-')}`)
  mkdirSync(folder, { mode: 0o700 })
  for (const path of found) nameToo(path, join(folder, basename(path)))
  syncFolder(folder)
  syncFolder(dirname(place))
  for (const ending of ['-wal', '-shm']) rmSync(place + ending, { force: true })
  return folder
}

function nameToo(path: string, other: string): void {
  try {
    linkSync(path, other)
  } catch {
    copyFileSync(path, other) // some file systems know no second names
  }
}
