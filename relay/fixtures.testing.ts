/** What a test has for itself. Relays and folders end with it. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { onTestFinished } from 'vitest'
import type { Limits } from './connections/limits.ts'
import { databaseName } from './store/database.ts'
import { startRelay, type TestRelay, type TestRelayOptions, temporaryFolder } from './testing.ts'

/** Bound nothing but what may wait for all who do not read. */
export const waitingInAll: Partial<Limits> = {
  bufferedInAll: 1 << 20,
  bufferedBytes: 64 << 20,
  framesOfConnection: { perSecond: 1e5, burst: 1e5 },
  framesOfSession: { perSecond: 1e5, burst: 1e5 },
  bytesOfSession: { perSecond: 1e9, burst: 1e9 },
}

export async function started(options?: TestRelayOptions): Promise<TestRelay> {
  const relay = await startRelay(options)
  onTestFinished(() => relay.stop())
  return relay
}

export function newFolder(): string {
  const folder = temporaryFolder()
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Holds the database as a backup program might. Returns the release. */
export function lock(dataDir: string): () => void {
  const database = new Sqlite(join(dataDir, databaseName))
  database.exec('BEGIN IMMEDIATE')
  return () => database.close()
}
