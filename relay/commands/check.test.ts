import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newFolder } from '../fixtures.testing.ts'
import { checkData } from './check.ts'
import { openToRead } from './databases.ts'
import { isSound } from './examine.ts'
import { fill, openStore, withDatabase } from './kept.testing.ts'
import { tellCheck, tellStats } from './tasks.ts'

test.each([
  ['entries', `UPDATE entries SET envelope = x'00' WHERE sequence = 15`, 3],
  [
    'entries',
    `UPDATE entries SET session = 99, checksum = randomblob(16), sequence = session WHERE sequence = 12`,
    3,
  ],
  ['snapshots', `UPDATE snapshots SET envelope = substr(envelope, 2)`, 3],
  ['deposits', `UPDATE deposits SET key = zeroblob(32)`, 3],
  ['releases', `UPDATE releases SET body = 'text'`, 3],
  ['sessions', `UPDATE sessions SET id = 'somebody' WHERE key = 2`, 1],
] as const)('damaged %s are counted', async (table, damage, damaged) => {
  const dataDir = newFolder()
  const store = await openStore(dataDir)
  await fill(store)
  expect(checkData(dataDir).every(({ examination }) => isSound(examination))).toBe(true)
  await store.close()
  withDatabase(dataDir, (database) => database.exec(damage))
  const [checked] = checkData(dataDir)
  expect(checked?.examination.damaged[table]).toBe(damaged)
  expect(tellCheck(dataDir)).toMatchObject({
    damaged: true,
    words: expect.stringContaining(' could be read; damaged: '),
  })
})

test('a page that cannot be read is told in SQLite’s words, and the tables on other pages are counted', async () => {
  const dataDir = newFolder()
  const store = await openStore(dataDir)
  await fill(store, 10, 100)
  await store.close()
  const root = withDatabase(dataDir, (database) =>
    Number(database.prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'entries'`).pluck().get()),
  )
  const file = join(dataDir, 'facedown.sqlite')
  const bytes = readFileSync(file)
  bytes.fill(0xee, (root - 1) * 4096, root * 4096)
  writeFileSync(file, bytes)
  const [checked] = checkData(dataDir)
  expect(checked?.examination.pages.join()).toMatch(/entries: database disk image is malformed/)
  expect(checked?.examination.rows).toMatchObject({ sessions: 10, snapshots: 10, deposits: 10 })
})

test('statistics count, and tell nothing that could be looked up elsewhere', async () => {
  const dataDir = newFolder()
  const store = await openStore(dataDir)
  const sessions = await fill(store, 3, 20)
  const { words } = tellStats(dataDir, false)
  expect(words).toContain('3 sessions, 60 entries, 3 snapshots, 3 deposited keys, 3 releases.')
  expect(words).toContain('the largest session has 24.0 KB')
  const json = tellStats(dataDir, true).words
  expect(JSON.parse(json)).toMatchObject([
    { path: 'facedown.sqlite', bytes: { envelopes: 72_000, largestSession: 24_000 }, rows: { entries: 60 } },
  ])
  for (const session of sessions) expect(words + json).not.toContain(session)
  expect(words + json).not.toContain(store.origin)
})

test('while a backup reads, a deleted session is gone at once for people, and afterwards from every file', async () => {
  const dataDir = newFolder()
  const store = await openStore(dataDir)
  const [session] = await fill(store, 1)
  if (!session) throw new Error('There is no session')
  const envelope = withDatabase(dataDir, (database) =>
    database.prepare<[], Buffer>('SELECT envelope FROM entries').pluck().get(),
  )
  const holds = (bytes: Uint8Array<ArrayBufferLike> | undefined) =>
    readdirSync(dataDir).some((name) => readFileSync(join(dataDir, name)).includes(Buffer.from(bytes ?? [])))
  await withReader(dataDir, async () => {
    expect(await store.delete(session)).toEqual({ outcome: 'deleted' })
    expect(holds(envelope)).toBe(true)
  })
  await expect.poll(() => holds(envelope), { timeout: 10_000 }).toBe(false)
  expect(holds(Buffer.from(session))).toBe(true) // that it was deleted is known
})

async function withReader(dataDir: string, work: () => Promise<void>): Promise<void> {
  const database = openToRead(join(dataDir, 'facedown.sqlite'))
  database.exec('BEGIN')
  database.prepare('SELECT count(*) FROM entries').get()
  await work()
  database.close()
}
