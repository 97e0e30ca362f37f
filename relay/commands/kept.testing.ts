import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'
import { onTestFinished } from 'vitest'
import type { SessionId } from '../../shared/id.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { databaseName } from '../store/database.ts'
import { checksumOf } from '../store/hash.ts'
import { openSqliteStore, type SqliteStore } from '../store/sqlite-store.ts'
import { entryKinds } from '../store/store.ts'
import { someDeposit, someEnvelope } from '../testing.ts'

const pageSize = 4096

export async function openStore(dataDir: string): Promise<SqliteStore> {
  const options = { dataDir, region: 'local', sessionMaxBytes: 16 << 20, sessionIdleDays: 90 }
  const store = await openSqliteStore(options, () => {})
  let isOpen = true
  const close = store.close.bind(store)
  store.close = async () => {
    if (isOpen) await close()
    isOpen = false
  }
  onTestFinished(store.close)
  return store
}

/** Sessions with entries, a snapshot, a key that was deposited and one that was released. */
export async function fill(store: SqliteStore, sessions = 3, entries = 20): Promise<SessionId[]> {
  const ids: SessionId[] = []
  for (let number = 0; number < sessions; number++) {
    const { session } = createSessionKeys()
    ids.push(session)
    const saved = await Promise.all(
      Array.from({ length: entries }, (_, at) => {
        const envelope = someEnvelope(1000)
        const checksum = checksumOf(envelope)
        const place = { sequence: at + 1, previous: at, checksum, kind: entryKinds.change, envelope }
        return store.append(session, place)
      }),
    )
    if (saved.some(({ outcome }) => outcome !== 'saved')) throw new Error('An entry was not saved')
    const page = await store.since(session, new Map(), 0)
    if (page.outcome !== 'page' || !page.upTo) throw new Error(page.outcome)
    const covers = new Map([[store.origin, page.upTo]])
    await store.putSnapshot(session, { covers, replaces: undefined, envelope: someEnvelope(4000) })
    await store.deposit(session, someDeposit(1))
    await store.deposit(session, someDeposit(2))
    await store.release(session, someDeposit(2).round, new Uint8Array(176))
  }
  return ids
}

export function withDatabase<Value>(dataDir: string, work: (database: Database) => Value): Value {
  const database = new Sqlite(join(dataDir, databaseName))
  try {
    return work(database)
  } finally {
    database.close()
  }
}

export function count(dataDir: string, table: string): number {
  return withDatabase(dataDir, (database) =>
    Number(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get()),
  )
}

/** Noise takes the place of a page on which rows of a table or an index lie, not the first. */
export function damagePage(dataDir: string, name: string): void {
  const page = withDatabase(dataDir, (database) => {
    database.pragma('wal_checkpoint(TRUNCATE)')
    const leaves = `SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' AND ncell > 0 ORDER BY pageno DESC`
    return Number(database.prepare<[string]>(leaves).pluck().get(name))
  })
  const file = openSync(join(dataDir, databaseName), 'r+')
  writeSync(file, someEnvelope(pageSize), 0, pageSize, (page - 1) * pageSize)
  closeSync(file)
}
