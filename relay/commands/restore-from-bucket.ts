import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SetupError } from '../settings/setup-error.ts'
import { createFolder, lockFolder } from '../store/database.ts'
import { type Bucket, inParallel } from './bucket.ts'
import { backupsInBucket, piecesIn, readBucketManifest } from './bucket-manifests.ts'
import { BucketPieces, pathOf } from './bucket-pieces.ts'
import type { CheckedBackup } from './check.ts'
import { type Manifest, writeManifest } from './manifest.ts'
import { type Restored, refuseNewer, restore } from './restore.ts'

/** Fetches one backup into a folder inside the data folder, every piece with its sum compared, and restores that. */
export async function restoreFromBucket(dataDir: string, bucket: Bucket, name?: string): Promise<Restored> {
  const chosen = name ?? (await newestIn(bucket))
  const manifest = await readBucketManifest(bucket, chosen)
  refuseNewer(manifest, chosen)
  refuseWhileUsed(dataDir, manifest) // before gigabytes are fetched
  createFolder(dataDir)
  const fetched = mkdtempSync(join(dataDir, 'fetching-'))
  try {
    const pieces = await BucketPieces.open(bucket)
    await inParallel(new Set(piecesIn(manifest)), async (piece) => {
      const path = join(fetched, pathOf(piece))
      const bytes = await pieces.read(piece)
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      writeFileSync(path, bytes, { mode: 0o600 })
    })
    writeManifest(fetched, manifest)
    return restore(dataDir, fetched, chosen)
  } finally {
    rmSync(fetched, { recursive: true })
  }
}

/** Like `checkBackups`: fetches every piece. */
export async function checkBucket(bucket: Bucket): Promise<CheckedBackup[]> {
  const pieces = await BucketPieces.open(bucket)
  const names = await backupsInBucket(bucket)
  const damaged = new Map<string, boolean>()
  const checked: CheckedBackup[] = []
  for (const name of names) {
    const manifest = await readBucketManifest(bucket, name)
    const needed = new Set(piecesIn(manifest))
    await inParallel(needed, async (piece) => {
      if (!damaged.has(piece)) damaged.set(piece, !(await pieces.isWhole(piece)))
    })
    checked.push({
      name,
      damagedPieces: [...needed].filter((piece) => damaged.get(piece)).length,
      sound: manifest.databases.every(({ sound }) => sound),
    })
  }
  return checked
}

async function newestIn(bucket: Bucket): Promise<string> {
  const [newest] = await backupsInBucket(bucket)
  if (newest === undefined) throw new SetupError(`There is no backup in ${bucket.address.words}`)
  return newest
}

function refuseWhileUsed(dataDir: string, { databases }: Manifest): void {
  for (const { path } of databases) {
    const folder = dirname(join(dataDir, path))
    if (existsSync(folder)) lockFolder(folder)()
  }
}
