import { SetupError } from '../settings/setup-error.ts'
import type { Bucket } from './bucket.ts'
import { backupNamed, formatManifest, type Manifest, nameOf, parseManifest } from './manifest.ts'

/** Names of all backups in a bucket, the newest first. */
export async function backupsInBucket(bucket: Bucket): Promise<string[]> {
  const names: string[] = []
  // Years begin with it, and pieces do not.
  for await (const { name } of bucket.list('2')) {
    const backup = backupNamed(name)
    if (backup !== undefined) names.push(backup)
  }
  return names.sort().reverse()
}

export async function readBucketManifest(bucket: Bucket, name: string): Promise<Manifest> {
  const { words } = bucket.address
  const bytes = await bucket.get(fileOf(name))
  if (!bytes) throw new SetupError(`There is no backup ${name} in ${words}`)
  return parseManifest(bytes.toString(), name, `${fileOf(name)} in ${words}`)
}

export async function writeBucketManifest(bucket: Bucket, manifest: Manifest): Promise<void> {
  await bucket.put(fileOf(nameOf(manifest)), formatManifest(manifest))
}

export async function removeBucketManifest(bucket: Bucket, name: string): Promise<void> {
  await bucket.remove(fileOf(name))
}

function fileOf(name: string): string {
  return `${name}.json`
}

export function piecesIn({ databases }: Manifest): string[] {
  return databases.flatMap(({ pieces }) => pieces)
}
