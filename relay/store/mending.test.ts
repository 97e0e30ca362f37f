import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { SessionId } from '../../shared/id.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { newFolder } from '../fixtures.testing.ts'
import { someEnvelope } from '../testing.ts'
import { prepare } from './database.ts'
import { DirectStore } from './direct-store.testing.ts'
import { checksumOf } from './hash.ts'
import { entryKinds } from './store.ts'
import type { Notice } from './store-protocol.ts'

const pageSize = 4096
const options = { dataDir: '', region: 'local', sessionMaxBytes: 16 << 20, sessionIdleDays: 90 }
const sessions = Array.from({ length: 10 }, () => createSessionKeys().session)
const written = 60
const whole = await storedSessions()

const places = ['root', 'leaf'] as const
const indexes = [
  ...places.map((place) => ['sqlite_autoindex_entries_1', place] as const),
  ...places.map((place) => ['entries_by_checksum', place] as const),
  ['sqlite_autoindex_sessions_1', 'root'] as const,
  ['sessions_by_day', 'root'] as const,
  ['sqlite_autoindex_snapshots_1', 'root'] as const,
]

test.each(indexes)('the damaged index %s (%s) is made anew, and nothing is lost', async (index, place) => {
  const [store, notices, database] = opened(damaged(index, place))
  expect(notices).toEqual([{ type: 'damagedDatabase' }])
  for (const session of sessions) {
    expect(await append(store, session, written + 1)).toMatchObject({ outcome: 'saved' })
    const page = await store.since(session, new Map(), 0)
    expect(page).toMatchObject({ outcome: 'page', snapshot: { covers: { sequence: 10 } } })
    expect(page.outcome === 'page' && page.entries).toHaveLength(written + 1 - 10)
  }
  expect(await append(store, createSessionKeys().session, 1)).toMatchObject({ outcome: 'saved' })
  expect(notices.slice(1)).toEqual([{ type: 'mended', indexes: 1 }])
  const after = database.serialize()
  await store.close()
  const [again, noticesThen] = opened(after)
  expect(noticesThen).toEqual([])
  await again.close()
})

test('an index in a file is made anew, and the file is whole when it is opened again', async () => {
  const dataDir = newFolder()
  writeFileSync(join(dataDir, 'facedown.sqlite'), damaged('sqlite_autoindex_entries_1', 'root'))
  for (const expected of [['damagedDatabase', 'mended'], []]) {
    const notices: string[] = []
    const store = new DirectStore({ ...options, dataDir }, ({ type }) => notices.push(type))
    for (const session of sessions) {
      const page = await store.since(session, new Map(), 0)
      expect(page.outcome === 'page' && page.entries).toHaveLength(written - 10)
    }
    expect(notices).toEqual(expected)
    await store.close()
  }
})

test('where a table is damaged, too, its index stays, which is tried and said once', async () => {
  const bytes = damaged('sqlite_autoindex_entries_1', 'leaf')
  fill(bytes, pagesOf('entries')[7])
  const [store, notices] = opened(bytes)
  notices.length = 0
  const read = () => Promise.all(sessions.map((session) => store.since(session, new Map(), 0)))
  const outcomes = (await read()).map(({ outcome }) => outcome)
  expect(new Set(outcomes)).toEqual(new Set(['page', 'refused']))
  expect((await read()).map(({ outcome }) => outcome)).toEqual(outcomes)
  expect(notices.filter(({ type }) => type === 'damagedDatabase')).toHaveLength(1)
  expect(notices.filter(({ type }) => type === 'mended')).toEqual([])
  await store.close()
})

test('a damaged last page of the entries, where new ones would go, refuses nobody', async () => {
  const bytes = Buffer.from(whole)
  fill(bytes, pagesOf('entries').at(-1))
  const [store] = opened(bytes)
  for (const session of [...sessions, createSessionKeys().session]) {
    const head = await store.head(session)
    const { sequence } = head.outcome === 'head' ? head : { sequence: -1 }
    expect(sequence).toBe(sessions.includes(session) ? written : 0)
    const before = await store.since(session, new Map(), 0)
    expect(await append(store, session, sequence + 1)).toMatchObject({ outcome: 'saved' })
    const after = await store.since(session, new Map(), 0)
    if (before.outcome !== 'page' || after.outcome !== 'page') throw new Error('It cannot be read')
    expect(after.entries).toHaveLength(before.entries.length + 1)
    expect(after.entries.at(-1)).toMatchObject({ position: { sequence: sequence + 1 } })
  }
  await store.close()
})

async function storedSessions(): Promise<Buffer> {
  const [store, , database] = opened()
  for (const session of sessions) {
    for (let sequence = 1; sequence <= written; sequence++) await append(store, session, sequence)
    const page = await store.since(session, new Map(), 0)
    const covered = page.outcome === 'page' ? page.entries[9]?.position : undefined
    if (!covered) throw new Error('There are more')
    const snapshot = {
      covers: new Map([[store.origin, covered]]),
      replaces: undefined,
      envelope: someEnvelope(1024),
    }
    expect(await store.putSnapshot(session, snapshot)).toEqual({ outcome: 'kept' })
  }
  const bytes = database.serialize()
  await store.close()
  return bytes
}

function damaged(index: string, place: (typeof places)[number]): Buffer {
  const bytes = Buffer.from(whole)
  const pages = pagesOf(index)
  fill(bytes, place === 'root' ? pages[0] : pages[1])
  return bytes
}

/** The root is the first. */
function pagesOf(name: string): number[] {
  const database = new Sqlite(whole)
  const pages = database.prepare<[string], number>('SELECT pageno FROM dbstat WHERE name = ? ORDER BY path')
  const all = pages.pluck().all(name)
  database.close()
  return all
}

function fill(bytes: Buffer, page: number | undefined): void {
  if (page === undefined) throw new Error('It has no such page')
  bytes.fill(0xff, (page - 1) * pageSize, page * pageSize)
}

function opened(bytes?: Buffer): [DirectStore, Notice[], Database] {
  const database = new Sqlite(bytes ?? ':memory:')
  database.pragma('auto_vacuum = INCREMENTAL') // as a database in a file has it
  const notices: Notice[] = []
  const open = { database, origin: prepare(database, 'local'), close: () => void database.close() }
  return [new DirectStore(options, (notice) => notices.push(notice), open), notices, database]
}

function append(store: DirectStore, session: SessionId, sequence: number) {
  const envelope = someEnvelope(256)
  const checksum = checksumOf(envelope)
  const entry = { sequence, previous: sequence - 1, checksum, kind: entryKinds.change, envelope }
  return store.append(session, entry)
}
