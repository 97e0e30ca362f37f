import { join } from 'node:path'
import { createBreathing } from './breathe.ts'
import { requireSchema } from './copy-database.ts'
import { databasesIn, openToRead } from './databases.ts'
import { type Examination, examine } from './examine.ts'
import { backupsIn, readManifest } from './manifest.ts'
import { Pieces } from './pieces.ts'

export interface CheckedDatabase {
  readonly path: string
  readonly examination: Examination
}

/** Reads every row of a data folder, while its relay runs or not. */
export function checkData(dataDir: string): CheckedDatabase[] {
  return databasesIn(dataDir).map((path) => {
    const database = openToRead(join(dataDir, path))
    try {
      requireSchema(database, path)
      // At one moment: between two statements the relay may let entries go. Closing ends it.
      database.exec('BEGIN')
      return { path, examination: examine(database, createBreathing(1)) }
    } finally {
      database.close()
    }
  })
}

export interface CheckedBackup {
  readonly name: string
  readonly damagedPieces: number
  /** Whether the database was sound when it was copied. */
  readonly sound: boolean
}

/** What is in its pieces was examined when they were made, so that they are the same is enough. */
export function checkBackups(backups: string): CheckedBackup[] {
  const pieces = new Pieces(backups)
  return backupsIn(backups).map((name) => {
    const { databases } = readManifest(backups, name)
    return {
      name,
      damagedPieces: pieces.damaged(databases.flatMap((kept) => kept.pieces)),
      sound: databases.every(({ sound }) => sound),
    }
  })
}
