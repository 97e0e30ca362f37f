import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lastBackup } from '../operators/last-backup.ts'
import { SetupError } from '../settings/setup-error.ts'
import { lockFile } from '../store/folder-lock.ts'
import { makeFolder } from '../store/make-folder.ts'
import { createBreathing } from './breathe.ts'
import { copyDatabase, schemaOf } from './copy-database.ts'
import { databasesIn, openToRead } from './databases.ts'
import { type Examination, examine, isSound } from './examine.ts'
import {
  backupsIn,
  type KeptDatabase,
  type Manifest,
  momentAfter,
  nameOf,
  newManifest,
  readManifest,
  removeManifest,
  writeManifest,
} from './manifest.ts'
import { type Cut, Pieces } from './pieces.ts'

const unfinished = 'unfinished-'

export interface BackedUp {
  readonly name: string
  readonly manifest: Manifest
  readonly newBytes: number
  /** The clock is behind that of the newest backup so far. */
  readonly isClockBehind: boolean
  /** Older ones that made room. */
  readonly removed: number
  /** What is damaged in the database is damaged in its copy. */
  readonly examinations: readonly Examination[]
}

/** Adds a backup of a data folder to a folder of backups, while its relay runs or not, and keeps the newest ones. */
export async function backup(dataDir: string, backups: string, keep: number): Promise<BackedUp> {
  const paths = databasesIn(dataDir)
  const unlock = prepareFolder(backups)
  try {
    for (const left of readdirSync(backups)) {
      if (left.startsWith(unfinished)) rmSync(join(backups, left), { recursive: true })
    }
    const scratch = mkdtempSync(join(backups, unfinished))
    const pieces = new Pieces(backups)
    const began = new Date()
    const made = momentAfter(backupsIn(backups), began)
    const { manifest, examinations, newBytes } = await copyPieces(dataDir, paths, scratch, made, (copy) =>
      pieces.keep(copy),
    ).finally(() => rmSync(scratch, { recursive: true }))
    writeManifest(backups, manifest)
    noteBackup(dataDir, began)
    const removed = examinations.every(isSound) ? removeOlder(backups, keep, pieces) : 0
    return { name: nameOf(manifest), manifest, newBytes, isClockBehind: made > began, removed, examinations }
  } finally {
    unlock()
  }
}

export interface Copied {
  readonly manifest: Manifest
  readonly newBytes: number
  readonly examinations: readonly Examination[]
}

/** Copies one database after the other, reads every row of the copy and hands it over to be kept in pieces. */
export async function copyPieces(
  dataDir: string,
  paths: readonly string[],
  scratch: string,
  made: Date,
  keep: (copy: string) => Cut | Promise<Cut>,
): Promise<Copied> {
  const examinations: Examination[] = []
  const databases: KeptDatabase[] = []
  let newBytes = 0
  for (const [number, path] of paths.entries()) {
    const copy = join(scratch, `${number}.sqlite`)
    await copyDatabase(join(dataDir, path), copy)
    const { schema, examination } = look(copy)
    const { bytes, sha256, pieces, newBytes: added } = await keep(copy)
    rmSync(copy)
    examinations.push(examination)
    newBytes += added
    databases.push({
      path,
      schema,
      bytes,
      sha256,
      sound: isSound(examination),
      rows: examination.rows,
      pieces,
    })
  }
  return { manifest: newManifest(made, databases), newBytes, examinations }
}

/** For whoever watches. */
export function noteBackup(dataDir: string, began: Date): void {
  writeFileSync(join(dataDir, lastBackup), `${began.toISOString()}\n`)
}

function prepareFolder(backups: string): () => void {
  try {
    makeFolder(join(backups, 'pieces'))
    const unlock = lockFile(join(backups, 'backup.lock'))
    if (unlock) return unlock
  } catch (error) {
    const reason = error instanceof Error ? error.message.split(',')[0] : String(error)
    throw new SetupError(`Backups need a folder that can be written to, but ${reason}: ${backups}`)
  }
  throw new SetupError(`Another backup to ${backups} is under way`)
}

function look(copy: string): { schema: number; examination: Examination } {
  const database = openToRead(copy)
  try {
    return { schema: schemaOf(database), examination: examine(database, createBreathing(2)) }
  } finally {
    database.close()
  }
}

/** While the newest is damaged all older ones stay. */
function removeOlder(backups: string, keep: number, pieces: Pieces): number {
  const names = backupsIn(backups)
  const older = names.slice(keep)
  // Before anything goes: with a manifest that cannot be read nobody knows which pieces are needed.
  const needed = new Set(
    names
      .slice(0, keep)
      .flatMap((name) => readManifest(backups, name).databases.flatMap(({ pieces }) => pieces)),
  )
  for (const name of older) removeManifest(backups, name)
  pieces.keepOnly(needed)
  return older.length
}
