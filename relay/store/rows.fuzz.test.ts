import { rmSync } from 'node:fs'
import Sqlite, { type Database } from 'better-sqlite3'
import { afterAll } from 'vitest'
import { equalBytes } from '../../shared/codec.ts'
import { fuzz } from '../../shared/fuzz.testing.ts'
import type { SessionId } from '../../shared/id.ts'
import { keysFrom } from '../../shared/keys.ts'
import { mutantOf } from '../../shared/mutants.testing.ts'
import { bytesOf, Chance } from '../../shared/testing.ts'
import { temporaryFolder } from '../testing.ts'
import { prepare } from './database.ts'
import { DirectStore } from './direct-store.testing.ts'
import { checksumOf } from './hash.ts'
import { entryKinds } from './store.ts'

const folder = temporaryFolder()
afterAll(() => rmSync(folder, { recursive: true }))

const options = { dataDir: folder, region: 'local', sessionMaxBytes: 16 << 20, sessionIdleDays: 90 }
const damagedSession = keysFrom('owner', bytesOf(1), new Uint8Array()).session
const otherSession = keysFrom('owner', bytesOf(2), new Uint8Array()).session
const chanceOfEnvelopes = new Chance(7)
const envelopes = Array.from({ length: 8 }, () => chanceOfEnvelopes.bytes(256))
const asker = bytesOf(5, 176)
const serialized = await storedSessions()

const columns: readonly (readonly [table: string, column: string])[] = [
  ...['sequence', 'checksum', 'envelope', 'kind'].map((column) => ['entries', column] as const),
  ...['sequence', 'mark', 'id', 'envelope'].map((column) => ['snapshots', column] as const),
  ...['head', 'day', 'id'].map((column) => ['sessions', column] as const),
  ...['round', 'seal', 'key', 'checksum'].map((column) => ['deposits', column] as const),
  ...['round', 'body'].map((column) => ['releases', column] as const),
]

fuzz(
  'a damaged row is left out, and neither the rest nor another session suffers',
  { inputs: 500, kinds: columns.map(([table, column]) => `${table}.${column}`), slowest: 1000 },
  async (chance) => {
    const database = new Sqlite(serialized)
    const [table, column] = chance.pick(columns)
    damage(database, table, column, chance)
    const noticed: string[] = []
    const store = new DirectStore(options, ({ type }) => noticed.push(type), {
      database,
      origin: prepare(database, 'local'),
      close: () => database.close(),
    })
    try {
      await readsWhatIsWhole(store, damagedSession, table === 'sessions' ? 'anything' : 'most')
      await goesOn(store, damagedSession, chance)
      await readsWhatIsWhole(store, otherSession, 'all')
    } finally {
      await store.close()
    }
    return `${table}.${column}`
  },
)

/** One value becomes another, as a disk may have it: other bytes, or of another type. */
function damage(database: Database, table: string, column: string, chance: Chance): void {
  const session = Number(
    database.prepare('SELECT key FROM sessions WHERE id = ?').pluck().get(damagedSession) ?? 0,
  )
  const name = table === 'sessions' ? 'key' : 'session'
  const where = `${name} = ${session}`
  const rows = database.prepare(`SELECT ${column} AS value FROM ${table} WHERE ${where}`).all() as {
    readonly value: unknown
  }[]
  const { value } = chance.pick(rows)
  const others = [
    'text',
    '',
    0,
    -1,
    2 ** 40,
    1.5,
    Number.MAX_SAFE_INTEGER,
    -9223372036854775808n,
    Buffer.alloc(0),
  ]
  const bytes = value instanceof Uint8Array ? value : Buffer.from(String(value))
  const changed = chance.happens(0.6) ? Buffer.from(mutantOf([bytes], chance)) : chance.pick(others)
  database
    .prepare(`UPDATE OR IGNORE ${table} SET ${column} = ? WHERE ${where} AND ${column} IS ?`)
    .run(changed, value)
}

async function readsWhatIsWhole(store: DirectStore, session: SessionId, what: 'all' | 'most' | 'anything') {
  let found = 0
  for (const generation of [0, 1]) {
    const page = await store.since(session, new Map(), generation)
    if (page.outcome !== 'page') throw new Error(`A session cannot be read any more: ${page.outcome}`)
    for (const { envelope, kind } of page.entries) {
      if (kind !== entryKinds.change) continue
      if (!envelopes.some((each) => equalBytes(each, envelope)))
        throw new Error('A damaged entry was handed out')
    }
    if (page.snapshot && !envelopes.some((each) => equalBytes(each, page.snapshot?.envelope ?? each)))
      throw new Error('A damaged snapshot was handed out')
    found = Math.max(found, page.entries.length)
  }
  if (what !== 'anything' && found < (what === 'all' ? 5 : 4))
    throw new Error(`Only ${found} entries are left`)
}

/** Whatever is asked of it, it answers; and what it says is saved can be read. */
async function goesOn(store: DirectStore, session: SessionId, chance: Chance) {
  const head = await store.head(session)
  if (head.outcome !== 'head') throw new Error('The head cannot be read')
  const envelope = envelopes[6] ?? bytesOf(0, 256)
  const checksum = checksumOf(envelope)
  const { sequence } = head
  const next = { sequence: sequence + 1, previous: sequence, checksum, kind: entryKinds.change, envelope }
  const appended = await store.append(session, next)
  if (appended.outcome === 'saved') {
    const page = await store.since(session, new Map(), 0)
    const all = page.outcome === 'page' ? page.entries : []
    if (!all.some((entry) => equalBytes(entry.envelope, envelope)))
      throw new Error('What was saved is not there')
  }
  const [sealed, round] = [bytesOf(3, 16), bytesOf(9, 16)]
  await store.deposit(session, { round, seal: sealed, key: chance.bytes(32), replaces: [] })
  await store.release(session, round, asker)
  await store.release(session, bytesOf(8, 16), asker)
  const covers = new Map([[store.origin, { sequence, mark: head.saved?.mark ?? bytesOf(0, 8) }]])
  await store.putSnapshot(session, { covers, replaces: undefined, envelope })
  await store.check()
}

/** Two sessions with a log, two snapshots, and keys. */
async function storedSessions(): Promise<Buffer> {
  const database = new Sqlite(':memory:')
  const origin = prepare(database, 'local')
  const store = new DirectStore(options, () => {}, { database, origin, close: () => {} })
  for (const session of [damagedSession, otherSession]) {
    let replaces: Uint8Array | undefined
    for (const [at, envelope] of envelopes.slice(0, 6).entries()) {
      const checksum = checksumOf(envelope)
      const entry = { sequence: at + 1, previous: at, checksum, kind: entryKinds.change, envelope }
      if ((await store.append(session, entry)).outcome !== 'saved') throw new Error('It is empty')
      if (at > 1) continue
      const covers = new Map([[origin, { sequence: at + 1, mark: checksum.subarray(0, 8) }]])
      const snapshot = envelopes[7 - at] ?? envelope
      if ((await store.putSnapshot(session, { covers, replaces, envelope: snapshot })).outcome !== 'kept')
        throw new Error('It covers more')
      replaces = checksumOf(snapshot)
    }
    for (const round of [8, 9]) {
      const deposit = {
        round: bytesOf(round, 16),
        seal: bytesOf(round, 16),
        key: bytesOf(round),
        replaces: [],
      }
      await store.deposit(session, deposit)
    }
    await store.release(session, bytesOf(8, 16), asker)
  }
  return database.serialize()
}
