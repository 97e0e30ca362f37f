import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError } from '../settings/setup-error.ts'
import { lockFile } from '../store/folder-lock.ts'
import { type BackedUp, copyPieces, noteBackup } from './backup.ts'
import type { Bucket } from './bucket.ts'
import {
  backupsInBucket,
  piecesIn,
  readBucketManifest,
  removeBucketManifest,
  writeBucketManifest,
} from './bucket-manifests.ts'
import { BucketPieces } from './bucket-pieces.ts'
import { databasesIn } from './databases.ts'
import { isSound } from './examine.ts'
import { momentAfter, nameOf } from './manifest.ts'

const unfinished = 'backing-up-'

/** Like `backup`, into a bucket: the same pieces under the same names, and the manifest last. The copy that is cut up lies in the data folder. */
export async function backupToBucket(dataDir: string, bucket: Bucket, keep: number): Promise<BackedUp> {
  const paths = databasesIn(dataDir)
  const unlock = lockFile(join(dataDir, 'backup.lock'))
  if (!unlock) throw new SetupError(`Another backup of ${dataDir} is under way`)
  try {
    for (const left of readdirSync(dataDir)) {
      if (left.startsWith(unfinished)) rmSync(join(dataDir, left), { recursive: true })
    }
    const pieces = await BucketPieces.open(bucket) // first, because it says whether the bucket can be used at all
    const scratch = mkdtempSync(join(dataDir, unfinished))
    try {
      const began = new Date()
      const made = momentAfter(await backupsInBucket(bucket), began)
      const { manifest, examinations, newBytes } = await copyPieces(dataDir, paths, scratch, made, (copy) =>
        pieces.keep(copy),
      )
      const there = await BucketPieces.open(bucket)
      if (there.lacks(piecesIn(manifest)) > 0)
        throw new SetupError(
          `Pieces went out of ${bucket.address.words} while the backup was made. Try again`,
        )
      await writeBucketManifest(bucket, manifest)
      noteBackup(dataDir, began)
      const removed = examinations.every(isSound) ? await removeOlder(bucket, keep, pieces) : 0
      return {
        name: nameOf(manifest),
        manifest,
        newBytes,
        isClockBehind: made > began,
        removed,
        examinations,
      }
    } finally {
      rmSync(scratch, { recursive: true })
    }
  } finally {
    unlock()
  }
}

/** While the newest is damaged all older ones stay. */
async function removeOlder(bucket: Bucket, keep: number, pieces: BucketPieces): Promise<number> {
  const names = await backupsInBucket(bucket)
  const older = names.slice(keep)
  // Before anything goes: with a manifest that cannot be read nobody knows which pieces are needed.
  const needed = new Set<string>()
  for (const name of names.slice(0, keep)) {
    for (const piece of piecesIn(await readBucketManifest(bucket, name))) needed.add(piece)
  }
  for (const name of older) await removeBucketManifest(bucket, name)
  await pieces.keepOnly(needed)
  return older.length
}
