import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { expect, test } from 'vitest'
import { decodeReleased } from '../../shared/escrow.ts'
import { base32, parseSessionId, type SessionId } from '../../shared/id.ts'
import { checkData } from '../commands/check.ts'
import { isSound } from '../commands/examine.ts'
import { openStore, withDatabase } from '../commands/kept.testing.ts'
import { newFolder } from '../fixtures.testing.ts'
import { databaseName, openDatabase, versions } from '../store/database.ts'
import { checksumOf } from '../store/hash.ts'
import { entryKinds } from '../store/store.ts'
import { hex } from '../testing.ts'

/**
 * Databases as the store of each version left them. Alice's session has four entries, Bob's a snapshot and one entry after it,
 * and Carol's was deleted as soon as that could be; escrow keeps the keys of two rounds of Alice's and released the second.
 */
const earlier = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.sql'))
const [alice, bob, carol] = [idOf('alice'), idOf('bob'), idOf('carol')]

test('there is a database of every version', () => {
  expect(earlier.sort()).toEqual(versions.map((_, at) => `${at + 1}.sql`))
})

test.each(earlier.map((file) => [Number.parseInt(file, 10), file] as const))(
  'a database of version %d has everything after its first start, and goes on',
  async (version, file) => {
    const dataDir = newFolder()
    withDatabase(dataDir, (database) => database.exec(readFileSync(join(import.meta.dirname, file), 'utf8')))
    const origin = withDatabase(dataDir, originIn)
    const store = await openStore(dataDir)
    expect(store.origin).toBe(origin)
    expect(await envelopesOf(alice)).toEqual(
      [1, 2, 3, 4].map((number) => hex(made(`${alice} ${number}`, 64))),
    )
    const page = await store.since(bob, new Map(), 0)
    if (page.outcome !== 'page') throw new Error(page.outcome)
    expect(page.snapshot && hex(page.snapshot.envelope)).toBe(hex(made('snapshot', 96)))
    expect(page.entries.map(({ envelope }) => hex(envelope))).toEqual([hex(made('after', 64))])
    if (version >= 2) expect(await store.since(carol, new Map(), 0)).toEqual({ outcome: 'deleted' })
    else expect(await envelopesOf(carol)).toHaveLength(4)
    if (version >= 3)
      for (const round of ['first', 'second']) expect(await keysOf(round)).toEqual(keysMade(round))

    const envelope = made('new', 64)
    const entry = {
      sequence: 5,
      previous: 4,
      checksum: checksumOf(envelope),
      kind: entryKinds.change,
      envelope,
    }
    expect(await store.append(alice, entry)).toMatchObject({ outcome: 'saved' })
    const resumed = await store.since(alice, new Map([[origin, await placeOf(4)]]), 0)
    expect(resumed).toMatchObject({ resumed: true, entries: { length: 1 } })
    await store.close()
    expect(checkData(dataDir).every(({ examination }) => isSound(examination))).toBe(true)
    expect(withDatabase(dataDir, schemaIn)).toEqual(freshSchema())

    async function envelopesOf(session: SessionId): Promise<string[]> {
      const page = await store.since(session, new Map(), 0)
      if (page.outcome !== 'page') throw new Error(page.outcome)
      return page.entries.map(({ envelope }) => hex(envelope))
    }

    async function placeOf(sequence: number) {
      const page = await store.since(alice, new Map(), 0)
      const entry =
        page.outcome === 'page'
          ? page.entries.find(({ position }) => position.sequence === sequence)
          : undefined
      if (!entry) throw new Error('The entry is not there')
      return entry.position
    }

    async function keysOf(round: string) {
      const release = await store.release(alice, made(round, 16), made('asker', 176))
      if (release.outcome !== 'released') throw new Error(release.outcome)
      return decodeReleased(release.body)?.keys.map(({ seal, key }) => `${hex(seal)} ${hex(key)}`)
    }
  },
)

test('a database of a version to come is left as it is', () => {
  const dataDir = newFolder()
  openDatabase(dataDir, 'local').close()
  withDatabase(dataDir, (database) => database.pragma(`user_version = ${versions.length + 1}`))
  expect(() => openDatabase(dataDir, 'local')).toThrow(
    `newer version of the relay (format ${versions.length + 1}). Start that one`,
  )
  expect(withDatabase(dataDir, (database) => database.pragma('user_version', { simple: true }))).toBe(
    versions.length + 1,
  )
})

function keysMade(round: string): string[] {
  return ['x', 'y']
    .map((who) => `${hex(made(round + who, 16))} ${hex(made(`key ${round} ${who}`, 32))}`)
    .sort()
}

/** The same bytes for a name, for ever. */
function made(name: string, length: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, at) =>
    createHash('sha256').update(`${name} ${at}`).digest(),
  )
  return new Uint8Array(Buffer.concat(blocks).subarray(0, length))
}

function idOf(name: string): SessionId {
  const id = parseSessionId(base32(made(name, 16)))
  if (!id) throw new Error('Not an id')
  return id
}

function originIn(database: Sqlite.Database): string {
  return String(database.prepare(`SELECT value FROM facts WHERE name = 'origin'`).pluck().get())
}

/** Columns and indexes, however the words came about. */
function schemaIn(database: Sqlite.Database): unknown {
  const tables = database
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
    .pluck()
    .all()
  return tables.map((table) => [
    table,
    database.prepare('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)').all(table),
    database.prepare('SELECT name, "unique", origin FROM pragma_index_list(?) ORDER BY name').all(table),
  ])
}

function freshSchema(): unknown {
  const dataDir = newFolder()
  openDatabase(dataDir, 'local').close()
  const database = new Sqlite(join(dataDir, databaseName), { readonly: true })
  const schema = schemaIn(database)
  database.close()
  return schema
}
