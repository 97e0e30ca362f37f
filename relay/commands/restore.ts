import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'
import { SetupError } from '../settings/setup-error.ts'
import { createFolder, databaseName, lockFolder, prepare, versions } from '../store/database.ts'
import { SessionTable } from '../store/session-table.ts'
import { syncFoldersOf } from './durable.ts'
import { examine, isSound } from './examine.ts'
import { backupsIn, type KeptDatabase, type Manifest, readManifest } from './manifest.ts'
import { Pieces } from './pieces.ts'
import { setAside } from './set-aside.ts'

export interface Restored {
  readonly name: string
  readonly manifest: Manifest
  /** Folders that keep what was replaced. */
  readonly aside: readonly string[]
  /** Sessions their owners deleted since; they stay deleted. */
  readonly deletions: number
  /** False when what was replaced could not be asked. */
  readonly knowsDeletions: boolean
}

/** Replaces the databases of a data folder, once every row of what replaces them was read. `name` is the newest unless given. */
export function restore(dataDir: string, backups: string, name = newestIn(backups)): Restored {
  const manifest = readManifest(backups, name)
  refuseNewer(manifest, name)
  const pieces = new Pieces(backups)
  const unlocks: (() => void)[] = []
  const scratches: string[] = []
  const aside: string[] = []
  let deletions = 0
  let knowsDeletions = true
  try {
    const ready = manifest.databases.map((kept) => {
      const place = join(dataDir, kept.path)
      createFolder(dirname(place))
      unlocks.push(lockFolder(dirname(place)))
      const scratch = mkdtempSync(join(dirname(place), 'restoring-'))
      scratches.push(scratch)
      const copy = join(scratch, databaseName)
      pieces.join(kept, copy)
      const carried = bringUpToDate(copy, place, kept)
      deletions += carried ?? 0
      knowsDeletions &&= carried !== undefined
      return { place, copy }
    })
    for (const { place, copy } of ready) {
      const replaced = setAside(place)
      if (replaced !== undefined) aside.push(replaced)
      renameSync(copy, place)
      syncFoldersOf(copy, place)
    }
    return { name, manifest, aside, deletions, knowsDeletions }
  } finally {
    for (const scratch of scratches) rmSync(scratch, { recursive: true, force: true })
    for (const unlock of unlocks) unlock()
  }
}

function newestIn(backups: string): string {
  const [newest] = backupsIn(backups)
  if (newest === undefined) throw new SetupError(`There is no backup in ${backups}`)
  return newest
}

export function refuseNewer({ databases, relay }: Manifest, name: string): void {
  const newer = databases.find(({ schema }) => schema > versions.length)
  if (!newer) return
  throw new SetupError(
    `The backup ${name} was made by relay ${relay}, which is newer than this one (format ${newer.schema}). Install that version first`,
  )
}

/** Gives how many deletions it learned from what it replaces, undefined when that cannot be asked. */
function bringUpToDate(copy: string, place: string, kept: KeptDatabase): number | undefined {
  const database = new Sqlite(copy)
  try {
    database.pragma('synchronous = FULL')
    database.pragma('secure_delete = ON')
    prepare(database, 'local')
    if (!isSound(examine(database))) {
      throw new SetupError(
        `${kept.sound ? 'What was restored' : 'The database was damaged when this backup was made, and so'} is not whole. Nothing was replaced; choose an earlier backup`,
      )
    }
    const deleted = deletedIn(place)
    if (deleted) repeat(database, deleted)
    database.pragma('wal_checkpoint(TRUNCATE)')
    return deleted?.length
  } finally {
    database.close()
  }
}

/** An old backup must not bring back what an owner deleted. */
function repeat(database: Database, deleted: readonly string[]): void {
  const sessions = new SessionTable(database, 0)
  sessions.day = Number(database.prepare(`SELECT value FROM facts WHERE name = 'day'`).pluck().get())
  database.transaction(() => {
    for (const id of deleted) sessions.delete(id)
  })()
}

function deletedIn(place: string): string[] | undefined {
  if (!existsSync(place)) return []
  try {
    const database = new Sqlite(place, { readonly: true })
    try {
      return database.prepare<[], string>('SELECT id FROM deletions').pluck().all()
    } finally {
      database.close()
    }
  } catch (error) {
    if (error instanceof Sqlite.SqliteError) return undefined // damaged: that is why it is replaced
    throw error
  }
}
