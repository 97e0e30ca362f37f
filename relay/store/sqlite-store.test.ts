import { chmodSync, copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { decodeReleased } from '../../shared/escrow.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { newFolder } from '../fixtures.testing.ts'
import type { Report } from '../operators/report.ts'
import { someDeposit, someEnvelope } from '../testing.ts'
import { databaseName, openBeside, openDatabase } from './database.ts'
import { checksumOf } from './hash.ts'
import { createPlace } from './place.testing.ts'
import { maxWaitingBytes, openSqliteStore, type SqliteStore } from './sqlite-store.ts'
import { storeContract } from './store.contract.ts'
import { entryKinds, inStreamOrder } from './store.ts'

storeContract('a store in SQLite', () => createPlace(newFolder(), openSqliteStore))

test('synchronous is FULL at every opening, not only the first', () => {
  const dataDir = newFolder()
  for (let opening = 0; opening < 3; opening++) {
    const { database, close } = openDatabase(dataDir, 'local')
    expect(database.pragma('synchronous', { simple: true })).toBe(2)
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal')
    close()
  }
})

test('a full disk refuses and takes again once there is room; other logs stay readable', async () => {
  const dataDir = newFolder()
  const reports: Report[] = []
  const store = await opened(dataDir, { reports })
  const { session } = createSessionKeys()
  expect(await append(store, session, 1)).toMatchObject({ outcome: 'saved' })
  await store.limit(200_000)
  let sequence = 1
  let last = await append(store, session, ++sequence, 60_000)
  while (last.outcome === 'saved') last = await append(store, session, ++sequence, 60_000)
  expect(last).toEqual({ outcome: 'refused', reason: 'full' })
  expect(reports).toContainEqual({ event: 'storeRefused', reason: 'full', code: 'SQLITE_FULL' })
  const page = await store.since(session, new Map(), 0)
  expect(page).toMatchObject({ entries: { length: sequence - 1 } })
  await store.limit(undefined)
  expect(await append(store, session, sequence, 60_000)).toMatchObject({ outcome: 'saved' })
})

test('when what was read last was said is known of that message alone', async () => {
  const dataDir = newFolder()
  const store = await opened(dataDir)
  await store.noteApplied({ sequence: 7, said: 1_700_000_000_123 })
  expect(await store.applied()).toMatchObject({ sequence: 7, said: 1_700_000_000_123 })
  await store.close()
  const { database, close } = openDatabase(dataDir, 'local')
  database.exec(`UPDATE facts SET value = 9 WHERE name = 'applied'`)
  close()
  const again = await opened(dataDir)
  expect(await again.applied()).toMatchObject({ sequence: 9, said: undefined })
})

test('what another connection changed is known once the store was told to forget', async () => {
  const dataDir = newFolder()
  const store = await opened(dataDir)
  const { session } = createSessionKeys()
  await append(store, session, 1)
  const { database, close } = openBeside(dataDir)
  expect(database.pragma('synchronous', { simple: true })).toBe(2)
  database.exec('UPDATE sessions SET head = 9')
  close()
  expect(await store.head(session)).toMatchObject({ sequence: 1 })
  await store.forget()
  expect(await store.head(session)).toMatchObject({ sequence: 9 })
})

test('a number that a stream gives out again saves no other change under it', async () => {
  const store = await opened(newFolder())
  const { session } = createSessionKeys()
  const said = async (sequence: number, envelope: Uint8Array) => {
    const checksum = checksumOf(envelope)
    const entry = { sequence, previous: inStreamOrder, checksum, kind: entryKinds.change, envelope }
    return await store.append(session, entry)
  }
  const saved = { outcome: 'saved', compact: undefined }
  const unsaved = { outcome: 'refused', reason: 'unreachable' }
  const [first, second, third] = [someEnvelope(), someEnvelope(), someEnvelope()]
  expect(await said(2, first)).toEqual(saved)
  expect(await said(4, second)).toEqual(saved)
  expect(await said(6, third)).toEqual(saved)
  // Read again after a crash.
  expect(await said(4, second)).toEqual({ outcome: 'duplicate', of: 4 })
  expect(await said(4, someEnvelope())).toEqual(unsaved)
  expect(await said(5, someEnvelope())).toEqual(unsaved)
  const page = await store.since(session, new Map(), 0)
  const kept = page.outcome === 'page' ? page.entries.map(({ envelope }) => Buffer.from(envelope)) : []
  expect(kept).toEqual([first, second, third].map((envelope) => Buffer.from(envelope)))
})

test('sessions nobody used for so many counted days are deleted, the others stay', async () => {
  const dataDir = newFolder()
  const [forgotten, used] = [createSessionKeys().session, createSessionKeys().session]
  const first = await open(dataDir)
  await append(first, forgotten, 1)
  await append(first, used, 1)
  await first.close()
  const database = new Sqlite(join(dataDir, 'facedown.sqlite'))
  database.exec(
    `UPDATE facts SET value = 100 WHERE name = 'day'; UPDATE facts SET value = '' WHERE name = 'seen'`,
  )
  database.prepare('UPDATE sessions SET day = ? WHERE id = ?').run(11, used)
  database.prepare('UPDATE sessions SET day = ? WHERE id = ?').run(10, forgotten)
  database.close()
  const reports: Report[] = []
  const store = await opened(dataDir, { reports })
  expect(await store.head(forgotten)).toMatchObject({ sequence: 0 })
  expect(await store.head(used)).toMatchObject({ sequence: 1 })
  expect(reports).toContainEqual({ event: 'expired', sessions: 1 })
})

test('which sessions were deleted is forgotten after the same days, and then they may come again', async () => {
  const dataDir = newFolder()
  const [longAgo, lately] = [createSessionKeys().session, createSessionKeys().session]
  const first = await open(dataDir)
  await append(first, longAgo, 1)
  await first.delete(longAgo)
  await first.delete(lately)
  await first.close()
  const database = new Sqlite(join(dataDir, 'facedown.sqlite'))
  database.exec(
    `UPDATE facts SET value = 100 WHERE name = 'day'; UPDATE facts SET value = '' WHERE name = 'seen'`,
  )
  database.prepare('UPDATE deletions SET day = ? WHERE id = ?').run(11, lately)
  database.prepare('UPDATE deletions SET day = ? WHERE id = ?').run(10, longAgo)
  database.close()
  const store = await opened(dataDir)
  expect(await append(store, longAgo, 1)).toMatchObject({ outcome: 'saved' })
  expect(await append(store, lately, 1)).toEqual({ outcome: 'deleted' })
})

test('of a deleted session no row is left but its id and the day', async () => {
  const dataDir = newFolder()
  const { session } = createSessionKeys()
  const store = await opened(dataDir)
  await append(store, session, 1)
  await store.delete(session)
  const database = new Sqlite(join(dataDir, 'facedown.sqlite'), { readonly: true })
  onTestFinished(() => void database.close())
  const count = (table: string) => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get()
  expect(['sessions', 'entries', 'snapshots'].map(count)).toEqual([0, 0, 0])
  expect(database.prepare('SELECT * FROM deletions').all()).toEqual([{ id: session, day: 1 }])
})

test('a database of the first version goes on, and its sessions can be deleted and have escrow', async () => {
  const dataDir = newFolder()
  const { session } = createSessionKeys()
  const first = await open(dataDir)
  await append(first, session, 1)
  await first.close()
  const database = new Sqlite(join(dataDir, 'facedown.sqlite'))
  database.exec(`
    DROP TABLE deletions; DROP TABLE deposits; DROP TABLE releases;
    ALTER TABLE entries DROP COLUMN kind; PRAGMA user_version = 1
  `)
  database.close()
  const store = await opened(dataDir)
  expect(await append(store, session, 2)).toMatchObject({ outcome: 'saved' })
  expect(await store.deposit(session, someDeposit())).toEqual({ outcome: 'deposited' })
  expect(await store.delete(session)).toEqual({ outcome: 'deleted' })
  expect(await store.since(session, new Map(), 0)).toEqual({ outcome: 'deleted' })
})

test('keys that were deposited before they had a checksum are released', async () => {
  const dataDir = newFolder()
  const { session } = createSessionKeys()
  const { round, seal, key } = someDeposit()
  const first = await open(dataDir)
  await first.deposit(session, { round, seal, key, replaces: [] })
  await first.close()
  const database = new Sqlite(join(dataDir, 'facedown.sqlite'))
  database.exec('ALTER TABLE deposits DROP COLUMN checksum; PRAGMA user_version = 3')
  database.close()
  const store = await opened(dataDir)
  const release = await store.release(session, round, new Uint8Array(176))
  if (release.outcome !== 'released') throw new Error(release.outcome)
  expect(decodeReleased(release.body)?.keys).toEqual([{ seal, key }])
})

test('a clock that jumps ten years ahead ages a session by one day', async () => {
  const dataDir = newFolder()
  const { session } = createSessionKeys()
  const first = await open(dataDir)
  await append(first, session, 1)
  await first.close()
  const database = new Sqlite(join(dataDir, 'facedown.sqlite'))
  database.exec(`UPDATE facts SET value = '2016-01-01' WHERE name = 'seen'`)
  database.close()
  const store = await opened(dataDir)
  expect(await store.head(session)).toMatchObject({ sequence: 1 })
})

test('a damaged file stops the start with a sentence and is left as it is', async () => {
  const dataDir = newFolder()
  const file = join(dataDir, 'facedown.sqlite')
  writeFileSync(file, 'This has been something else for a long time. '.repeat(400))
  await expect(open(dataDir)).rejects.toThrow(/is damaged and was left as it is/)
  expect(readFileSync(file, 'utf8')).toMatch(/^This has been something else/)
})

test('so many snapshots may wait for the disk, and then it takes others', async () => {
  const store = await opened(newFolder())
  const snapshot = { covers: new Map(), replaces: undefined, envelope: someEnvelope(1 << 20) }
  const most = maxWaitingBytes.inAll / (1 << 20)
  const crowd = Array.from({ length: most + 1 }, () =>
    store.putSnapshot(createSessionKeys().session, snapshot),
  )
  const outcomes = (await Promise.all(crowd)).map(({ outcome }) => outcome)
  expect(outcomes.slice(most - 1)).toEqual(['outdated', 'refused'])
  expect(await store.putSnapshot(createSessionKeys().session, snapshot)).toEqual({ outcome: 'outdated' })
})

test('a second store on the same folder is told so, and can have it afterwards', async () => {
  const dataDir = newFolder()
  const first = await open(dataDir)
  await expect(open(dataDir)).rejects.toThrow(/Another relay uses the data folder/)
  await first.close()
  await opened(dataDir)
})

test.each(['moved', 'replaced', 'removed'])(
  'nothing is said to be saved in a database whose folder was %s while it is open',
  async (how) => {
    const dataDir = join(newFolder(), 'data')
    const reports: Report[] = []
    const store = await opened(dataDir, { reports })
    const { session } = createSessionKeys()
    expect(await append(store, session, 1)).toMatchObject({ outcome: 'saved' })
    if (how === 'removed') rmSync(dataDir, { recursive: true })
    else renameSync(dataDir, `${dataDir}-elsewhere`)
    if (how === 'replaced') openDatabase(dataDir, 'local').close()
    expect(await append(store, session, 2)).toEqual({ outcome: 'refused', reason: 'unreachable' })
    expect(await store.check()).toEqual({ outcome: 'refused', reason: 'unreachable' })
    expect(reports).toContainEqual({ event: 'storeRefused', reason: 'unreachable', code: 'TAKEN_AWAY' })
    if (how !== 'moved') return
    renameSync(`${dataDir}-elsewhere`, dataDir)
    expect(await append(store, session, 2)).toMatchObject({ outcome: 'saved' })
  },
)

test('without its write-ahead log nothing is said to be saved, and what was is in the database', async () => {
  const dataDir = newFolder()
  const reports: Report[] = []
  const store = await opened(dataDir, { reports })
  const { session } = createSessionKeys()
  expect(await append(store, session, 1)).toMatchObject({ outcome: 'saved' })
  rmSync(join(dataDir, `${databaseName}-wal`))
  expect(await append(store, session, 2)).toEqual({ outcome: 'refused', reason: 'unreachable' })
  expect(reports).toContainEqual({ event: 'storeRefused', reason: 'unreachable', code: 'TAKEN_AWAY' })
  const left = newFolder() // what a process that is killed here would leave
  copyFileSync(join(dataDir, databaseName), join(left, databaseName))
  const { database, close } = openDatabase(left, 'local')
  expect(database.prepare('SELECT sequence FROM entries').pluck().all()).toEqual([1])
  close()
  await store.close()
  const again = await opened(dataDir)
  expect(await append(again, session, 2)).toMatchObject({ outcome: 'saved' })
})

test('a folder that cannot be made stops the start with a sentence', async () => {
  const dataDir = newFolder()
  writeFileSync(join(dataDir, 'file'), '')
  await expect(open(join(dataDir, 'file', 'data'))).rejects.toThrow(
    /DATA_DIR must be a folder that can be written to/,
  )
})

test.runIf(process.platform === 'linux')(
  'a folder below one that takes none stops the start, too',
  async () => {
    await expect(open('/proc/facedown/data')).rejects.toThrow(
      'DATA_DIR must be a folder that can be written to, but ENOENT: no such file or directory: /proc/facedown/data',
    )
  },
)

test('a database of another user stops the start with a sentence', () => {
  const dataDir = newFolder()
  openDatabase(dataDir, 'local').close()
  chmodSync(join(dataDir, 'facedown.sqlite'), 0o400)
  chmodSync(join(dataDir, 'facedown.lock'), 0o666)
  chmodSync(dataDir, 0o777)
  const isRoot = process.getuid?.() === 0 // to whom nothing is forbidden
  if (isRoot) process.seteuid?.(65_534)
  try {
    expect(() => openDatabase(dataDir, 'local')).toThrow(
      `The database ${join(dataDir, 'facedown.sqlite')} belongs to somebody else. Give its folder`,
    )
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
})

async function append(
  store: SqliteStore,
  session: ReturnType<typeof createSessionKeys>['session'],
  sequence: number,
  length = 256,
) {
  const envelope = someEnvelope(length)
  return await store.append(session, {
    sequence,
    previous: sequence - 1,
    checksum: checksumOf(envelope),
    kind: entryKinds.change,
    envelope,
  })
}

interface Options {
  readonly sessionMaxBytes?: number
  readonly reports?: Report[]
}

function open(
  dataDir: string,
  { sessionMaxBytes = 16 << 20, reports = [] }: Options = {},
): Promise<SqliteStore> {
  const options = { dataDir, region: 'local', sessionMaxBytes, sessionIdleDays: 90 }
  return openSqliteStore(options, (report) => reports.push(report))
}

async function opened(dataDir: string, options?: Options): Promise<SqliteStore> {
  const store = await open(dataDir, options)
  onTestFinished(() => store.close())
  return store
}
