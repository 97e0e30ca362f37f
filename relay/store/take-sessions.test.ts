import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { SessionId } from '../../shared/id.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { copyDatabase } from '../commands/copy-database.ts'
import { count, damagePage, fill, openStore, withDatabase } from '../commands/kept.testing.ts'
import { newFolder } from '../fixtures.testing.ts'
import { someEnvelope } from '../testing.ts'
import { databaseName } from './database.ts'
import { checksumOf } from './hash.ts'
import { shardCount, shardOf } from './shard.ts'
import { entryKinds } from './store.ts'
import { takeSessions } from './take-sessions.ts'

const tables = ['entries', 'snapshots', 'deposits', 'releases']
const all = new Set(Array.from({ length: shardCount }, (_, shard) => shard))

test('a session comes with everything that is kept of it, and those of other shards stay', async () => {
  const [from, to] = [newFolder(), newFolder()]
  const sessions = await closedWith(from, 6)
  await closedWith(to, 4)
  const before = await everythingIn(to)
  const [first = ''] = sessions
  const shards = new Set([shardOf(first as SessionId)])
  await take(from, to, shards)
  const taken = sessions.filter((session) => shards.has(shardOf(session)))
  expect(taken.length).toBeGreaterThan(0)
  expect(await everythingIn(to)).toEqual(
    new Map([
      ...before,
      ...[...(await everythingIn(from))].filter(([id]) => taken.includes(id as SessionId)),
    ]),
  )
})

test('who is here already gives way, and is here once', async () => {
  const [from, to] = [newFolder(), newFolder()]
  await closedWith(from, 3)
  await take(from, to, all)
  withDatabase(to, (database) => database.exec('DELETE FROM entries WHERE sequence > 5'))
  const keys = () => withDatabase(to, (database) => database.prepare('SELECT id, key FROM sessions').all())
  const before = keys()
  withDatabase(to, (database) =>
    database.prepare('INSERT INTO sessions VALUES (99, ?, 0, 0)').run(createSessionKeys().session),
  )
  await take(from, to, all)
  withDatabase(to, (database) => database.exec('DELETE FROM sessions WHERE key = 99'))
  expect(await everythingIn(to)).toEqual(await everythingIn(from))
  expect(keys()).toEqual(before)
})

test('where the copy lacks, or has another, what was said last here, a session stays as it is', async () => {
  const [from, to] = [newFolder(), newFolder()]
  const [longer = '', other = '', same = ''] = await closedWith(from, 3)
  await take(from, to, all)
  const keyOf = `(SELECT key FROM sessions WHERE id = ?)`
  withDatabase(from, (database) => {
    database.prepare(`DELETE FROM entries WHERE sequence > 15 AND session = ${keyOf}`).run(longer)
    const envelope = Buffer.from('another one')
    const change = `UPDATE entries SET checksum = ?, envelope = ? WHERE sequence = 20 AND session = ${keyOf}`
    database.prepare(change).run(checksumOf(envelope), envelope, other)
  })
  withDatabase(to, (database) =>
    database.prepare(`DELETE FROM entries WHERE sequence > 15 AND session = ${keyOf}`).run(same),
  )
  const [there, here] = [await everythingIn(from), await everythingIn(to)]
  expect(await take(from, to, all)).toEqual({ isWhole: true, damaged: [] })
  expect(await everythingIn(to)).toEqual(new Map([...here, [same, there.get(same)]]))
})

test('where the copy lacks what was said last here and goes on behind it, both are kept', async () => {
  const [from, to] = [newFolder(), newFolder()]
  const [session = ''] = await closedWith(from, 1)
  await take(from, to, all)
  withDatabase(to, (database) =>
    database.exec(`DELETE FROM entries WHERE sequence > 15; DELETE FROM snapshots;
      UPDATE sessions SET day = day - 1; UPDATE deposits SET seal = randomblob(16)`),
  )
  withDatabase(from, (database) => database.exec('UPDATE sessions SET head = 22'))
  const whole = await everythingIn(from)
  withDatabase(from, (database) => database.exec('DELETE FROM entries WHERE sequence BETWEEN 11 AND 15'))
  expect(await take(from, to, all)).toEqual({ isWhole: true, damaged: [] })
  expect(await everythingIn(to)).toEqual(whole)
  const read = (sql: string) => withDatabase(to, (database) => database.prepare(sql).pluck().get())
  expect(read('SELECT day FROM sessions')).toBe(Number(read(`SELECT value FROM facts WHERE name = 'day'`)))
  const store = await openStore(to)
  expect(await store.head(session as SessionId)).toMatchObject({ sequence: 22, saved: { sequence: 20 } })
})

test('what snapshots have replaced in the copy is no reason to leave it', async () => {
  const [from, to] = [newFolder(), newFolder()]
  const [session = ''] = await closedWith(from, 1)
  await take(from, to, all)
  const store = await openStore(from)
  const read = async () => {
    const page = await store.since(session as SessionId, new Map(), 0)
    if (page.outcome !== 'page' || !page.upTo) throw new Error(page.outcome)
    return { upTo: page.upTo, snapshot: page.snapshot }
  }
  for (const sequence of [21, 22]) {
    const { upTo, snapshot } = await read()
    const envelope = someEnvelope()
    const place = { previous: upTo.sequence, checksum: checksumOf(envelope), kind: entryKinds.change }
    await store.append(session as SessionId, { sequence, ...place, envelope })
    const covers = new Map([[store.origin, (await read()).upTo]])
    const replaces = snapshot?.id
    await store.putSnapshot(session as SessionId, { covers, replaces, envelope: someEnvelope() })
  }
  await store.close()
  await take(from, to, all)
  expect(await everythingIn(to)).toEqual(await everythingIn(from))
})

test('what was deleted stays deleted, and what nobody used for ten days is ten days old', async () => {
  const [from, to] = [newFolder(), newFolder()]
  const [session] = await closedWith(from, 1)
  const gone = createSessionKeys().session
  const store = await openStore(from)
  await store.delete(gone)
  await store.close()
  withDatabase(from, (database) =>
    database.exec(`UPDATE facts SET value = 50 WHERE name = 'day'; UPDATE sessions SET day = 40`),
  )
  await (await openStore(to)).close()
  const day = withDatabase(to, (database) =>
    Number(database.prepare(`SELECT value FROM facts WHERE name = 'day'`).pluck().get()),
  )
  await take(from, to, new Set([shardOf(gone), shardOf(session as SessionId)]))
  expect(withDatabase(to, (database) => database.prepare('SELECT day FROM sessions').pluck().all())).toEqual([
    day - 10,
  ])
  const again = await openStore(to)
  expect(await again.since(gone, new Map(), 0)).toEqual({ outcome: 'deleted' })
})

test('what was deleted there while this store was off is deleted here, and does not come back', async () => {
  const [from, to] = [newFolder(), newFolder()]
  const [gone = '', kept = ''] = await closedWith(from, 2)
  await take(from, to, all)
  const [there, here] = [await openStore(from), await openStore(to)]
  await there.delete(gone as SessionId)
  await here.delete(kept as SessionId)
  await Promise.all([there.close(), here.close()])
  await take(from, to, all)
  expect(await everythingIn(to)).toEqual(new Map())
  expect(tables.map((table) => count(to, table))).toEqual([0, 0, 0, 0])
  const again = await openStore(to)
  for (const session of [gone, kept])
    expect(await again.since(session as SessionId, new Map(), 0)).toEqual({ outcome: 'deleted' })
})

test('what is deleted here while the copy is taken does not come back either', async () => {
  const [from, to] = [newFolder(), newFolder()]
  const sessions = await closedWith(from, 3)
  await (await openStore(to)).close()
  const database = new Sqlite(join(to, databaseName))
  onTestFinished(() => void database.close())
  let now = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 1_000))
  onTestFinished(() => clock.mockRestore())
  const taking = { shards: all, whole: new Set<string>(), damaged: () => {} }
  const taken = takeSessions(database, join(from, databaseName), taking)
  expect(count(to, 'sessions')).toBe(1)
  withDatabase(to, (beside) => {
    const note = beside.prepare('INSERT INTO deletions VALUES (?, 0)')
    for (const session of sessions) note.run(session)
    beside.exec('DELETE FROM sessions')
  })
  await taken
  expect(count(to, 'sessions')).toBe(0)
})

test.each(['entries', 'snapshots', 'deposits', 'releases', 'sessions'])(
  'what lies on a damaged page of %s stays away, everything else comes, and another copy has the rest',
  async (table) => {
    const [damaged, sound, to] = [newFolder(), newFolder(), newFolder()]
    const sessions = await closedWith(damaged, 20)
    copyFileSync(join(damaged, databaseName), join(sound, databaseName))
    damagePage(damaged, table)
    const whole = new Set<string>()
    const first = await take(damaged, to, all, whole)
    const rows = (folder: string) => tables.reduce((sum, each) => sum + count(folder, each), 0)
    expect(count(to, 'sessions')).toBe(sessions.length)
    expect(rows(to)).toBeGreaterThan(rows(sound) * 0.8)
    if (table !== 'sessions') {
      expect(new Set(first.damaged)).toEqual(new Set([table]))
      expect(rows(to)).toBeLessThan(rows(sound))
      expect(first.isWhole).toBe(false)
      expect(whole.size).toBeLessThan(sessions.length)
    }
    expect(await take(sound, to, all, whole)).toEqual({ isWhole: true, damaged: [] })
    expect(rows(to)).toBe(rows(sound))
    if (table !== 'sessions') expect(await everythingIn(to)).toEqual(await everythingIn(sound))
  },
)

test('a session whose day was damaged is not taken for one that nobody uses any more', async () => {
  const [from, to] = [newFolder(), newFolder()]
  const [session] = await closedWith(from, 1)
  withDatabase(from, (database) =>
    database.exec(`UPDATE facts SET value = 500 WHERE name = 'day'; UPDATE sessions SET day = 'noise'`),
  )
  await take(from, to, new Set([shardOf(session as SessionId)]))
  const read = (sql: string) => withDatabase(to, (database) => database.prepare(sql).pluck().get())
  expect(read('SELECT day FROM sessions')).toBe(Number(read(`SELECT value FROM facts WHERE name = 'day'`)))
})

test('an index that is damaged costs nothing', async () => {
  const [from, sound, to] = [newFolder(), newFolder(), newFolder()]
  await closedWith(from, 20)
  copyFileSync(join(from, databaseName), join(sound, databaseName))
  damagePage(from, 'sqlite_autoindex_entries_1')
  expect(await take(from, to, all)).toEqual({ isWhole: true, damaged: [] })
  expect(await everythingIn(to)).toEqual(await everythingIn(sound))
})

test('what is here stays where the copy is damaged', async () => {
  const [damaged, to] = [newFolder(), newFolder()]
  await closedWith(damaged, 20)
  copyFileSync(join(damaged, databaseName), join(to, databaseName))
  const before = await everythingIn(to)
  damagePage(damaged, 'entries')
  expect(await take(damaged, to, all)).toMatchObject({ isWhole: false })
  expect(await everythingIn(to)).toEqual(before)
})

test('nothing is taken while it cannot be read what was deleted', async () => {
  const [from, to] = [newFolder(), newFolder()]
  const sessions = await closedWith(from, 2)
  const store = await openStore(from)
  for (const session of sessions) await store.delete(session)
  await store.close()
  damagePage(from, 'deletions')
  await expect(take(from, to, all)).rejects.toThrow('malformed')
})

test('what came of a copy that broke off comes again from another one, which had read more', async () => {
  const [broken, sound, to] = [newFolder(), newFolder(), newFolder()]
  const [gone = ''] = await closedWith(sound, 3)
  const store = await openStore(sound)
  await store.delete(gone as SessionId)
  await store.close()
  copyFileSync(join(sound, databaseName), join(broken, databaseName))
  withDatabase(broken, (database) => database.exec('DELETE FROM entries WHERE sequence > 15'))
  damagePage(broken, 'deletions')
  const whole = new Set<string>()
  await expect(take(broken, to, all, whole)).rejects.toThrow('malformed')
  await take(sound, to, all, whole)
  expect(await everythingIn(to)).toEqual(await everythingIn(sound))
})

async function closedWith(dataDir: string, sessions: number): Promise<SessionId[]> {
  const store = await openStore(dataDir)
  const ids = await fill(store, sessions)
  await store.close()
  return ids
}

async function take(
  from: string,
  to: string,
  shards: ReadonlySet<number>,
  whole = new Set<string>(),
): Promise<{ isWhole: boolean; damaged: string[] }> {
  await (await openStore(to)).close()
  const copy = join(newFolder(), 'copy')
  await copyDatabase(join(from, databaseName), copy)
  const database = new Sqlite(join(to, databaseName))
  const damaged: string[] = []
  const taking = { shards, whole, damaged: (table: string) => damaged.push(table) }
  const { isWhole } = await takeSessions(database, copy, taking).finally(() => database.close())
  return { isWhole, damaged }
}

/** By session, without the keys that each database gives it. */
async function everythingIn(dataDir: string): Promise<Map<string, unknown>> {
  return withDatabase(dataDir, (database) => {
    const sessions = database.prepare('SELECT key, id, head FROM sessions').all() as {
      key: number
      id: string
      head: number
    }[]
    return new Map(
      sessions.map(({ key, id, head }) => {
        const rows = tables.map((table) => {
          const all = database.prepare(`SELECT * FROM ${table} WHERE session = ?`).all(key) as object[]
          return all.map((row) => JSON.stringify({ ...row, session: undefined })).sort()
        })
        return [id, { head, rows }]
      }),
    )
  })
}
