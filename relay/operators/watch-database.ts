import { readFile, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { lastBackup } from './last-backup.ts'
import type { Meters } from './meters.ts'

/** What a store's databases take of their disk, and what is left there. */
export function watchDatabase(
  meters: Meters,
  dataDir: string,
  folders: () => readonly string[] = () => [dataDir],
): void {
  const files = () => folders().map((folder) => join(folder, 'facedown.sqlite'))
  meters.watch('facedown_database_bytes', 'The database file', () => bytesOf(files()))
  meters.watch('facedown_write_ahead_log_bytes', "The database's write-ahead log", () =>
    bytesOf(files().map((file) => `${file}-wal`)),
  )
  meters.watch(
    'facedown_disk_bytes',
    'The disk that the database is on',
    async () => (await diskOf(dataDir)).bytes,
  )
  meters.watch(
    'facedown_disk_free_bytes',
    'What is left for the relay on that disk',
    async () => (await diskOf(dataDir)).free,
  )
  meters.watch('facedown_last_backup_timestamp_seconds', 'When the last backup was made, 0 for never', () =>
    lastBackupAt(dataDir),
  )
}

/** Seconds since 1970, as Prometheus counts; 0 when none was ever made. */
async function lastBackupAt(dataDir: string): Promise<number> {
  const made = await readFile(join(dataDir, lastBackup), 'utf8').catch(() => '')
  const time = Date.parse(made.trim()) / 1000
  return Number.isNaN(time) ? 0 : time
}

/** A file that is not there takes nothing. */
async function bytesOf(files: readonly string[]): Promise<number> {
  const sizes = files.map((file) =>
    stat(file).then(
      ({ size }) => size,
      () => 0,
    ),
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

async function diskOf(dataDir: string): Promise<{ readonly bytes: number; readonly free: number }> {
  return statfs(dataDir).then(
    ({ blocks, bavail, bsize }) => ({ bytes: blocks * bsize, free: bavail * bsize }),
    () => ({ bytes: Number.NaN, free: Number.NaN }),
  )
}
