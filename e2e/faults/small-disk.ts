import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { newFolder } from '../../relay/fixtures.testing.ts'
import { startRelay, temporaryFolder } from '../../relay/testing.ts'
import { Trial } from './trial.ts'

/** A relay whose disk can be filled. */
export interface SmallDisk {
  readonly url: string
  fill(): Promise<void>
  /** Somebody makes room. */
  clear(): Promise<void>
  /** What the relay reported, as it would stand in its log. */
  said(): string
}

/** A file system of 8 MB in memory, where this user may mount one. */
export const mayMount = canMount()

/** The database itself may not grow any more; SQLite answers as it does on a full disk. */
export async function limitedDatabase(): Promise<SmallDisk> {
  const relay = await startRelay()
  onTestFinished(() => relay.stop())
  return {
    url: relay.url,
    fill: () => relay.store.limit(1),
    clear: () => relay.store.limit(undefined),
    said: () => relay.reports.map((report) => JSON.stringify(report)).join('\n'),
  }
}

/** Without a reserve it can be filled to the last byte. */
export async function smallFileSystem(DISK_RESERVE = '0'): Promise<SmallDisk> {
  const folder = fileSystemOf('8m')
  const trial = await Trial.start({ DISK_RESERVE }, folder)
  return {
    url: trial.url,
    fill: async () => fillDisk(folder),
    clear: async () => emptyDisk(folder),
    said: () => trial.said,
  }
}

/** To the last byte of a file system. */
export function fillDisk(folder: string): void {
  const file = openSync(ballastIn(folder), 'w')
  try {
    while (statfsSync(folder).bavail > 0) writeSync(file, Buffer.alloc(4096))
  } catch (error) {
    if (!String(error).includes('ENOSPC')) throw error
  } finally {
    closeSync(file)
  }
}

export function emptyDisk(folder: string): void {
  rmSync(ballastIn(folder))
}

function ballastIn(folder: string): string {
  return join(folder, 'ballast')
}

/** In memory, until the test is over. */
export function fileSystemOf(size: string): string {
  const folder = newFolder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder])
  onTestFinished(() => void execFileSync('umount', ['-l', folder]))
  return folder
}

function canMount(): boolean {
  const folder = temporaryFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' })
    execFileSync('umount', [folder])
    return true
  } catch {
    return false // only root may, and not in every container
  } finally {
    rmSync(folder, { recursive: true })
  }
}
