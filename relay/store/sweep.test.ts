import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { SessionId } from '../../shared/id.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { newFolder } from '../fixtures.testing.ts'
import { someEnvelope } from '../testing.ts'
import { databaseName, openDatabase } from './database.ts'
import { checksumOf } from './hash.ts'
import { LogTables } from './log-tables.ts'
import { SessionTable } from './session-table.ts'
import { entryKinds } from './store.ts'
import { startSweeping } from './sweep.ts'

const idleDays = 90
/** How long everything takes that a sweep does at once. */
const workMs = 10

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: new Date('2026-05-04T12:00Z') })
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += workMs
    return now
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

test('many idle sessions go a few at a time, with rests nine times as long, and are reported once', () => {
  const { database, sessions } = withSessions({ idle: 50, used: 3 })
  const expired = vi.fn()
  const stop = startSweeping(database, sessions, idleDays, expired)
  expect(sessionsIn(database)).toBe(33)
  vi.advanceTimersByTime(9 * workMs - 1)
  expect(sessionsIn(database)).toBe(33)
  vi.advanceTimersByTime(1)
  expect(sessionsIn(database)).toBe(13)
  expect(expired).not.toHaveBeenCalled()
  vi.advanceTimersByTime(9 * workMs)
  expect(sessionsIn(database)).toBe(3)
  expect(expired.mock.calls).toEqual([[50]])
  stop()
})

test('of sessions with many entries fewer go at a time', () => {
  const { database, sessions } = withSessions({ idle: 5, used: 0, entries: 120 })
  const stop = startSweeping(database, sessions, idleDays, () => {})
  const left: number[] = []
  for (let turn = 0; turn < 3; turn++) {
    left.push(sessionsIn(database))
    vi.advanceTimersByTime(9 * workMs)
  }
  expect(left).toEqual([3, 1, 0])
  stop()
})

test('a session that expired while it was remembered begins anew, and others are still remembered', () => {
  const { database, sessions, logs, ids } = withSessions({ idle: 1, used: 1 })
  const [idle, used] = ids as [SessionId, SessionId]
  expect(sessions.find(idle)).toMatchObject({ head: 1 })
  const remembered = sessions.find(used)
  const stop = startSweeping(database, sessions, idleDays, () => {})
  expect(sessions.find(idle)).toBeUndefined()
  expect(sessions.find(used)).toBe(remembered)
  append(logs, idle, 1)
  expect(sessions.find(idle)).toMatchObject({ head: 1, entries: 1 })
  stop()
})

test('a sweep that is stopped leaves the rest for the next start', () => {
  const { database, sessions, close } = withSessions({ idle: 30, used: 0 })
  const stop = startSweeping(database, sessions, idleDays, () => {})
  expect(sessionsIn(database)).toBe(10)
  stop()
  close()
  vi.advanceTimersByTime(10_000)
  expect(vi.getTimerCount()).toBe(0)
})

test('an idle session on a damaged page holds up no other, and is tried again after as many days', () => {
  const { database, sessions } = withSessions({ idle: 60, used: 2, entries: 30 }, (file) => {
    const page = pagesOf(file, 'entries')[50] as number
    file.fill(0xff, (page - 1) * 4096, page * 4096)
  })
  const expired = vi.fn()
  const stop = startSweeping(database, sessions, idleDays, expired)
  vi.advanceTimersByTime(60_000)
  const days = database.prepare('SELECT day FROM sessions').pluck().all()
  expect([3, 4]).toContain(days.length)
  expect(days.filter((day) => day === 10 + idleDays)).toHaveLength(days.length - 2)
  expect(expired.mock.calls).toEqual([[62 - days.length]])
  stop()
})

test('what was deleted is given back to the disk in small steps, but for a tenth that stays for what comes next', () => {
  const { database, sessions, logs, dataDir, ids } = withSessions({ idle: 300, used: 100, entries: 10 })
  const before = bytesIn(database, dataDir)
  const stop = startSweeping(database, sessions, idleDays, () => {})
  const steps: number[] = []
  for (let pages = pagesIn(database); vi.getTimerCount() > 0; pages = pagesIn(database)) {
    vi.advanceTimersByTime(9 * workMs)
    if (pagesIn(database) === pages && sessionsIn(database) === 100) break
    steps.push(pages - pagesIn(database))
  }
  expect(Math.max(...steps)).toBeLessThanOrEqual(55) // and maps of pages, which nobody needs any more
  expect(steps.filter((pages) => pages > 0).length).toBeGreaterThan(2)
  expect(bytesIn(database, dataDir)).toBeLessThan(before / 2)
  const free = Number(database.pragma('freelist_count', { simple: true }))
  expect(free).toBeGreaterThan(0)
  expect(free).toBeLessThanOrEqual(pagesIn(database) / 10 + 1)
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
  for (const id of ids.slice(300)) expect(logs.head(id)).toMatchObject({ sequence: 10 })
  stop()
})

test('a database from before that keeps its pages, and fills them again', () => {
  const { database, sessions, logs, dataDir } = withSessions({ idle: 300, used: 1, entries: 10, isOld: true })
  const before = bytesIn(database, dataDir)
  const stop = startSweeping(database, sessions, idleDays, () => {})
  vi.advanceTimersByTime(60_000)
  expect(sessionsIn(database)).toBe(1)
  expect(bytesIn(database, dataDir)).toBe(before)
  const fill = database.transaction(() => {
    for (let number = 0; number < 200; number++) {
      const { session } = createSessionKeys()
      for (let sequence = 1; sequence <= 10; sequence++) append(logs, session, sequence)
    }
  })
  fill()
  expect(bytesIn(database, dataDir)).toBe(before)
  stop()
})

test('where the maps of pages are damaged nothing is given back, and everything can be read', () => {
  const { database, sessions, logs, ids } = withSessions({ idle: 300, used: 20, entries: 10 }, (file) =>
    file.fill(0xff, 4096, 2 * 4096),
  )
  const pages = pagesIn(database)
  const stop = startSweeping(database, sessions, idleDays, () => {})
  vi.advanceTimersByTime(60_000)
  expect(pagesIn(database)).toBe(pages)
  for (const id of ids.slice(300)) expect(logs.head(id)).toMatchObject({ sequence: 10 })
  append(logs, createSessionKeys().session, 1)
  stop()
})

interface Sessions {
  readonly idle: number
  readonly used: number
  /** Of each. */
  readonly entries?: number
  /** Made before databases gave pages back. */
  readonly isOld?: boolean
}

/** The idle ones come first. */
function withSessions({ idle, used, entries = 1, isOld }: Sessions, change?: (file: Buffer) => void) {
  const dataDir = newFolder()
  const file = join(dataDir, databaseName)
  if (isOld) new Sqlite(file).exec('CREATE TABLE old (number); DROP TABLE old').close()
  const first = openDatabase(dataDir, 'local')
  const before = tablesOf(first.database)
  const ids = Array.from({ length: idle + used }, () => createSessionKeys().session)
  const fill = first.database.transaction(() => {
    ids.forEach((id, at) => {
      before.sessions.day = at < idle ? 9 : 10
      for (let sequence = 1; sequence <= entries; sequence++) append(before.logs, id, sequence)
    })
    first.database.exec(`
      UPDATE facts SET value = ${10 + idleDays} WHERE name = 'day'; UPDATE facts SET value = '2026-05-04' WHERE name = 'seen'
    `)
  })
  fill()
  first.close()
  if (change) {
    const bytes = readFileSync(file)
    change(bytes)
    writeFileSync(file, bytes)
  }
  const { database, close } = openDatabase(dataDir, 'local')
  onTestFinished(() => void (database.open && close()))
  return { database, ...tablesOf(database), ids, dataDir, close }
}

function tablesOf(database: Database) {
  const sessions = new SessionTable(database, 1 << 30)
  return { sessions, logs: new LogTables(database, sessions) }
}

function append(logs: LogTables, session: SessionId, sequence: number): void {
  const envelope = someEnvelope(256)
  const checksum = checksumOf(envelope)
  const row = { session, sequence, previous: sequence - 1, checksum, kind: entryKinds.change, envelope }
  expect(logs.append(row)).toMatchObject({ outcome: 'saved' })
}

function sessionsIn(database: Database): number {
  return Number(database.prepare('SELECT count(*) FROM sessions').pluck().get())
}

function pagesIn(database: Database): number {
  return Number(database.pragma('page_count', { simple: true }))
}

function bytesIn(database: Database, dataDir: string): number {
  database.pragma('wal_checkpoint(TRUNCATE)')
  return statSync(join(dataDir, databaseName)).size
}

function pagesOf(file: Buffer, table: string): number[] {
  const copy = Buffer.from(file)
  copy.fill(1, 18, 20) // in memory there is no write-ahead log
  const database = new Sqlite(copy)
  const pages = database.prepare<[string], number>('SELECT pageno FROM dbstat WHERE name = ? ORDER BY path')
  const all = pages.pluck().all(table)
  database.close()
  return all
}
