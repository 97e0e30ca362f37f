import type { BackedUp } from './backup.ts'
import { backupToBucket } from './backup-to-bucket.ts'
import { Bucket } from './bucket.ts'
import { readBucketAddress } from './bucket-address.ts'
import type { CheckedBackup } from './check.ts'
import type { Restored } from './restore.ts'
import { checkBucket, restoreFromBucket } from './restore-from-bucket.ts'

/** What the commands do with a bucket instead of a folder. */
export function backup(dataDir: string, place: string, keep: number): Promise<BackedUp> {
  return backupToBucket(dataDir, open(place), keep)
}

export function restore(dataDir: string, place: string, name: string | undefined): Promise<Restored> {
  return restoreFromBucket(dataDir, open(place), name)
}

export function check(place: string): Promise<CheckedBackup[]> {
  return checkBucket(open(place))
}

function open(place: string): Bucket {
  return new Bucket(readBucketAddress(place, process.env))
}
