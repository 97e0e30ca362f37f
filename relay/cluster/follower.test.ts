import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { queryObjects } from 'node:v8'
import { headers } from '@nats-io/transport-node'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { Position } from '../../shared/cursor.ts'
import { decodeReleased } from '../../shared/escrow.ts'
import type { SessionId } from '../../shared/id.ts'
import { createSessionKeys, deleteStatement, roleSeed, sign } from '../../shared/keys.ts'
import { askerOf } from '../connections/bare-client.testing.ts'
import { databaseName } from '../store/database.ts'
import { checksumOf, markOf } from '../store/hash.ts'
import { openSqliteStore, type SqliteStore } from '../store/sqlite-store.ts'
import { someDeposit, someEnvelope, temporaryFolder } from '../testing.ts'
import { Follower, type Following } from './follower.ts'
import { type NatsServer, startNats } from './nats.testing.ts'
import { decodeBulletin } from './news.ts'
import { joinRegion, type Region } from './region.ts'
import { encodeStatement, type Stated } from './statement.ts'
import { lastOf, logOf, originsHere, provideStream, regionOf, streamOf } from './streams.ts'

let nats: NatsServer
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

const shards = new Set(Array.from({ length: 64 }, (_, at) => at))
const envelopeBytes = 10_000
const mostBytes = 20 * envelopeBytes
const quota = 1 << 20
const deletion = { type: 'delete', signature: new Uint8Array(64) } as const

test('a store whose disk is full keeps only so much of what its region says, deletes what is to be deleted, and misses nothing afterwards', async () => {
  const region = await joined('east')
  const store = await opened(region)
  const [busy, unwanted] = [createSessionKeys(), createSessionKeys()]
  const say = (session: SessionId, message: Stated) => sayIn(region, session, message)
  const follower = await followed(region, store, { mostBytes })
  await say(unwanted.session, append(someEnvelope()))
  await expect.poll(async () => (await store.head(unwanted.session)).outcome).toBe('head')
  await expect.poll(() => follower.lag).toBe(0)

  await store.limit(1)
  const envelopes = Array.from({ length: 200 }, () => someEnvelope(envelopeBytes))
  for (const envelope of envelopes) await say(busy.session, append(envelope))
  await expect.poll(() => follower.waitingBytes).toBeGreaterThan(mostBytes)
  const signature = sign(deleteStatement(unwanted.session), roleSeed(unwanted))
  await say(unwanted.session, { type: 'delete', signature })
  await expect.poll(() => follower.lag).toBeGreaterThan(100)
  const read = () => store.since(unwanted.session, new Map(), 0)
  await expect.poll(async () => (await read()).outcome, { timeout: 20_000 }).toBe('deleted')
  expect(follower.waitingBytes).toBeLessThan(mostBytes + 2 * envelopeBytes)

  await store.limit(undefined)
  await expect.poll(() => follower.lag, { timeout: 20_000 }).toBe(0)
  expect(await keptIn(store, busy.session)).toEqual(envelopes.map((envelope) => Buffer.from(envelope)))
  expect((await read()).outcome).toBe('deleted')
}, 60_000)

test('of deletions that come while another one is refused, a store whose disk is full misses none', async () => {
  const region = await joined('freed')
  const store = await opened(region)
  const [busy, stuck, unwanted] = [createSessionKeys(), createSessionKeys(), createSessionKeys()]
  await followed(region, store, { mostBytes })
  await sayIn(region, unwanted.session, append(someEnvelope()))
  await expect.poll(async () => (await store.head(unwanted.session)).outcome).toBe('head')
  await store.limit(1)
  const erase = store.delete.bind(store)
  const refused = vi.spyOn(store, 'delete').mockImplementation(async (session) => {
    if (session !== stuck.session) return erase(session)
    if (refused.mock.calls.length === 1) await sayIn(region, unwanted.session, deletion)
    return { outcome: 'refused', reason: 'full' }
  })
  for (let times = 0; times < 60; times++)
    await sayIn(region, busy.session, append(someEnvelope(envelopeBytes)))
  await sayIn(region, stuck.session, deletion)
  const read = async () => (await store.since(unwanted.session, new Map(), 0)).outcome
  await expect.poll(read, { timeout: 10_000 }).toBe('deleted')
}, 60_000)

test('what waited for a full disk is kept, however often it was tried in vain', async () => {
  const [region, other] = [await joined('patient'), await joined('patient')]
  const store = await opened(region)
  const { session } = createSessionKeys()
  const refused = refusalsHeard(other, session)
  await store.limit(1)
  const follower = await followed(region, store)
  const envelope = someEnvelope(envelopeBytes)
  await sayIn(region, session, append(envelope))
  await expect.poll(refused, { timeout: 20_000 }).toBe(4)
  await store.limit(undefined)
  await expect.poll(() => follower.upTo, { timeout: 20_000 }).toBe(1)
  expect(await keptIn(store, session)).toEqual([Buffer.from(envelope)])
}, 60_000)

test('a store takes more of one session at once than it lets wait for the disk', async () => {
  const region = await joined('large')
  const store = await opened(region)
  const { session } = createSessionKeys()
  const envelopes = Array.from({ length: 300 }, () => someEnvelope(65_000))
  await store.limit(1)
  const follower = await followed(region, store)
  for (const envelope of envelopes) await sayIn(region, session, append(envelope))
  await expect.poll(() => follower.waitingBytes, { timeout: 20_000 }).toBeGreaterThan(250 * 65_000)
  await store.limit(undefined)
  await expect.poll(() => follower.upTo, { timeout: 20_000 }).toBe(envelopes.length)
  expect(Buffer.concat(await keptIn(store, session)).equals(Buffer.concat(envelopes))).toBe(true)
}, 60_000)

test('a store that does everything at once comes to the same at the very quota as one that does each by itself', async () => {
  const region = await joined('quota')
  const [patient, hasty] = [await opened(region, { quota }), await opened(region, { quota })]
  const [first, second] = [await followed(region, patient), await followed(region, hasty)]
  await hold(region, hasty)
  const { session } = createSessionKeys()
  const sequences: number[] = []
  const each = async (sequence: number) => {
    await expect.poll(() => first.upTo).toBe(sequence)
    sequences.push(sequence)
  }
  await sayUpToTheQuota(region, session, each)
  const later = someEnvelope()
  await each(await sayIn(region, session, append(later)))
  await expect.poll(() => second.lag).toBe(sequences.length)
  await hasty.limit(undefined)
  await expect.poll(() => second.upTo, { timeout: 20_000 }).toBe(sequences.at(-1))
  expect(await keptIn(patient, session)).toEqual([Buffer.from(later)])
  expect(await keptIn(hasty, session)).toEqual([Buffer.from(later)])
}, 60_000)

test('what a store refused at the quota it does not take when it reads that again after a crash', async () => {
  const region = await joined('crash')
  const [dataDir, afterCrash] = [temporaryFolder(), temporaryFolder()]
  const store = await opened(region, { quota, dataDir })
  const follower = await followed(region, store)
  await hold(region, store)
  const { session } = createSessionKeys()
  const said: number[] = []
  await sayUpToTheQuota(region, session, async (sequence) => void said.push(sequence))
  await expect.poll(() => follower.lag).toBe(said.length)
  await store.limit(undefined)
  await expect.poll(() => follower.upTo, { timeout: 20_000 }).toBe(said.at(-1))
  cpSync(dataDir, afterCrash, { recursive: true })
  const again = await opened(region, { quota, dataDir: afterCrash })
  const reading = await followed(region, again)
  await expect.poll(() => reading.upTo).toBe(said.at(-1))
  expect(await keptIn(store, session)).toEqual([])
  expect(await keptIn(again, session)).toEqual([])
}, 60_000)

test('a key that could not be kept at once does not come back behind the one that replaces it', async () => {
  const region = await joined('keys')
  const store = await opened(region)
  const { session } = createSessionKeys()
  const first = someDeposit()
  const second = { ...someDeposit(), replaces: [first.key] }
  vi.spyOn(store, 'deposit').mockResolvedValueOnce({ outcome: 'refused', reason: 'full' })
  for (const deposit of [first, second]) await sayIn(region, session, { type: 'deposit', ref: 0, ...deposit })
  const follower = await followed(region, store)
  await expect.poll(() => follower.upTo, { timeout: 20_000 }).toBe(2)
  const release = await store.release(session, first.round, new Uint8Array(176))
  if (release.outcome !== 'released') throw new Error(release.outcome)
  expect(decodeReleased(release.body)?.keys).toEqual([{ seal: second.seal, key: second.key }])
}, 60_000)

test('a key that a store refused for their number it does not take when it reads that again behind a release', async () => {
  const region = await joined('crowded')
  const [dataDir, afterCrash] = [temporaryFolder(), temporaryFolder()]
  const keys = createSessionKeys()
  const { session } = keys
  const [known, refused] = [someDeposit(1), someDeposit(2)]
  const store = await opened(region, { dataDir })
  await store.deposit(session, known)
  fillWithKeys(dataDir)
  await store.forget()
  const follower = await followed(region, store)
  await sayIn(region, session, { type: 'deposit', ref: 0, ...refused })
  await sayIn(region, session, {
    type: 'release',
    ref: 0,
    round: known.round,
    asker: askerOf(keys, known.round),
  })
  await expect.poll(() => follower.upTo).toBe(2)
  cpSync(dataDir, afterCrash, { recursive: true })
  const again = await opened(region, { dataDir: afterCrash })
  const reading = await followed(region, again)
  await expect.poll(() => reading.upTo).toBe(2)
  for (const each of [store, again]) {
    const release = await each.release(session, refused.round, new Uint8Array(176), new Uint8Array(16))
    if (release.outcome !== 'released') throw new Error(release.outcome)
    expect(decodeReleased(release.body)?.keys).toEqual([])
  }
}, 60_000)

test('a session that was deleted in another region is not kept because this one’s stream takes nothing for a while', async () => {
  const far = await joined('far')
  const near = await joined('near')
  const store = await opened(near, { of: await originIn(far) })
  const follower = await followed(near, store)
  const unwanted = createSessionKeys()
  const refused = refusalsHeard(far, unwanted.session)
  await sayIn(far, unwanted.session, append(someEnvelope()))
  await expect.poll(() => follower.upTo).toBe(1)
  await near.manager.streams.delete(streamOf(await originIn(near)))
  const signature = sign(deleteStatement(unwanted.session), roleSeed(unwanted))
  await sayIn(far, unwanted.session, { type: 'delete', signature })
  await expect.poll(refused, { timeout: 30_000 }).toBeGreaterThan(4)
  expect(follower.upTo).toBe(1)
  await provideStream(near.manager, 'near')
  const read = async () => (await store.since(unwanted.session, new Map(), 0)).outcome
  await expect.poll(read, { timeout: 20_000 }).toBe('deleted')
  expect(await lastOf(near.manager, await originIn(near), unwanted.session)).toBe(1)
}, 60_000)

test.each([
  ['ends before what', 0],
  ['goes on otherwise than', 9],
])(
  'a store notices that its stream %s it has read',
  async (_, otherwise) => {
    const region = await joined(`lost${otherwise}`)
    const { session } = createSessionKeys()
    const say = async () => await sayIn(region, session, append(someEnvelope()))
    const there = () => originIn(region).catch(() => '')
    const isThere = async () => {
      // A question on a broken line waits for a time-out.
      await expect.poll(() => region.isConnected, { timeout: 20_000 }).toBe(true)
      await expect.poll(there, { timeout: 20_000 }).not.toBe('')
    }
    const before = await nats.copy()
    await isThere()
    for (let times = 0; times < otherwise; times++) await say()
    const after = await nats.copy()
    await nats.goBack(before)
    await isThere()
    const store = await opened(region)
    const follower = await followed(region, store)
    for (let times = 0; times < 5; times++) await say()
    await expect.poll(() => follower.upTo).toBe(5)
    await nats.restart()
    await isThere()
    await say()
    await expect.poll(() => follower.upTo, { timeout: 20_000 }).toBe(6)
    expect(await follower.lostItsEnd()).toBe(false)
    await nats.goBack(after)
    await isThere()
    const isLost = () => follower.lostItsEnd().catch(() => false)
    await expect.poll(isLost, { timeout: 20_000 }).toBe(true)
    expect(follower.upTo).toBe(6)
  },
  60_000,
)

test('a store that was off notices that its stream goes on otherwise, though it has grown past what was read', async () => {
  const region = await joined('outgrown')
  const { session } = createSessionKeys()
  const say = async () => await sayIn(region, session, append(someEnvelope()))
  const isThere = async () =>
    await expect.poll(() => originIn(region).catch(() => ''), { timeout: 20_000 }).not.toBe('')
  const store = await opened(region)
  const before = await followed(region, store)
  await say()
  const copy = await nats.copy()
  await isThere()
  for (let times = 0; times < 3; times++) await say()
  await expect.poll(() => before.upTo, { timeout: 20_000 }).toBe(4)
  await before.stop()
  const same = await Follower.start(region, store, shards)
  expect(await same.lostItsEnd()).toBe(false)
  await same.stop()
  await nats.goBack(copy)
  await isThere()
  for (let times = 0; times < 6; times++) await say()
  const again = await followed(region, store)
  expect(await again.lostItsEnd()).toBe(true)
  await say()
  await expect.poll(() => again.lag).toBe(0)
  expect(again.upTo).toBe(4)
}, 60_000)

test('what NATS does not bring any more a store asks for again, soon and whatever the reason', async () => {
  const [region, other] = [await joined('broken'), await joined('broken')]
  const { session } = createSessionKeys()
  const say = () => sayIn(region, session, append(someEnvelope()))
  const asked = asksIn(region)
  const store = await opened(region)
  const follower = await followed(region, store)
  await say()
  await expect.poll(() => follower.upTo).toBe(1)
  other.connection.publish(asked.at(-1) ?? '', '', { headers: headers(400, 'Bad Request') })
  await other.connection.flush()
  await say()
  await expect.poll(() => follower.upTo, { timeout: 5_000 }).toBe(2)
}, 60_000)

test('a store to which NATS refuses its stream says why, once, until it brings something again', async () => {
  const [region, other] = [await joined('mute'), await joined('mute')]
  const { session } = createSessionKeys()
  const say = () => sayIn(region, session, append(someEnvelope()))
  const asked = asksIn(region)
  const failures: string[] = []
  const failed = (error: unknown) => void failures.push(String(error))
  const follower = await followed(region, await opened(region), { failed })
  for (const failure of ['no room', 'no right']) {
    await expect.poll(() => follower.upTo, { timeout: 5_000 }).toBe(await say())
    const refused = vi.spyOn(region.stream.consumers, 'get').mockRejectedValue(new Error(failure))
    other.connection.publish(asked.at(-1) ?? '', '', { headers: headers(400, 'Bad Request') })
    await expect.poll(() => refused.mock.calls.length, { timeout: 20_000 }).toBe(6)
    expect(failures.at(-1)).toBe(`Error: ${failure}`)
    refused.mockRestore()
  }
  expect(failures).toHaveLength(2)
}, 60_000)

test('a question to NATS that was lost a store asks again within seconds', async () => {
  const region = await joined('forgetful')
  const { session } = createSessionKeys()
  const asked = asksIn(region, 1)
  const follower = await followed(region, await opened(region))
  await sayIn(region, session, append(someEnvelope()))
  await expect.poll(() => asked.length, { timeout: 30_000 }).toBe(2)
  await expect.poll(() => follower.upTo).toBe(1)
}, 60_000)

test('a store reads no further than a gap in its stream, and says how far its answers go', async () => {
  const any = await joined('any')
  await provideStream(any.manager, 'old', Date.now() - 2 * 86_400_000)
  const region = await joined('old')
  const store = await opened(region)
  const { session } = createSessionKeys()
  const say = () => sayIn(region, session, append(someEnvelope()))
  const before = await followed(region, store)
  await say()
  await expect.poll(() => before.upTo).toBe(1)
  await before.stop()
  for (let times = 0; times < 3; times++) await say()
  await region.manager.streams.purge(streamOf(store.origin), { seq: 4 })
  const follower = await followed(region, store)
  await expect.poll(() => follower.gapEnd).toBe(4)
  await say()
  expect(await follower.applied(session)).toBe(1)
  expect(await follower.applied(createSessionKeys().session)).toBe(0)
  expect(await follower.isOvertaken()).toBe(true)
  await follower.stop()
  const knowing = await followed(region, store, { isGivenUp: true })
  await expect.poll(() => knowing.upTo).toBe(5)
  expect(knowing.gapEnd).toBe(undefined)
}, 60_000)

test('a store that stands still does not remember whoever asked it in vain', async () => {
  const region = await joined('asked')
  const store = await opened(region)
  const follower = await followed(region, store)
  await hold(region, store)
  const { session } = createSessionKeys()
  await sayIn(region, session, append(someEnvelope()))
  const askAll = () => Promise.all(Array.from({ length: 100 }, () => follower.applied(session)))
  await askAll()
  const before = queryObjects(Promise, { format: 'count' })
  expect(await askAll()).toEqual(Array.from({ length: 100 }, () => undefined))
  expect(queryObjects(Promise, { format: 'count' }) - before).toBeLessThan(1_000)
}, 60_000)

async function joined(name: string): Promise<Region> {
  const region = await joinRegion(nats.url, name)
  onTestFinished(() => region.leave())
  return region
}

async function originIn({ manager, name }: Region): Promise<string> {
  const origins = await originsHere(manager)
  return origins.find((origin) => regionOf(origin) === name) ?? ''
}

interface Opening {
  /** The region's own stream, unless told another. */
  readonly of?: string
  readonly quota?: number
  readonly dataDir?: string
}

async function opened(
  region: Region,
  { of, quota = 1 << 26, dataDir = temporaryFolder() }: Opening = {},
): Promise<SqliteStore> {
  const origin = of ?? (await originIn(region))
  const options = { dataDir, region: region.name, origin, sessionMaxBytes: quota, sessionIdleDays: 90 }
  const store = await openSqliteStore(options, () => {})
  onTestFinished(async () => {
    await store.close()
    rmSync(dataDir, { recursive: true })
  })
  return store
}

async function followed(region: Region, store: SqliteStore, following?: Following): Promise<Follower> {
  const follower = await Follower.start(region, store, shards, following)
  onTestFinished(() => follower.stop())
  return follower
}

/** From here on it does nothing until its limit is lifted. */
async function hold(region: Region, store: SqliteStore): Promise<void> {
  const tried = vi.spyOn(store, 'append')
  await store.limit(1)
  await sayIn(region, createSessionKeys().session, append(someEnvelope(envelopeBytes)))
  await expect.poll(() => tried.mock.calls.length).toBeGreaterThan(0)
}

/** Where NATS brings what it is asked for, question by question, of which the first are lost. */
function asksIn({ connection }: Region, lost = 0): readonly string[] {
  const asked: string[] = []
  const publish = connection.publish.bind(connection)
  vi.spyOn(connection, 'publish').mockImplementation((subject, ...rest) => {
    const isQuestion = subject.includes('.CONSUMER.MSG.NEXT.')
    if (isQuestion) asked.push(rest[1]?.reply ?? '')
    if (!isQuestion || asked.length > lost) publish(subject, ...rest)
  })
  return asked
}

/** As many as a session may have, with the one that is there. */
function fillWithKeys(dataDir: string): void {
  const database = new Sqlite(join(dataDir, databaseName))
  const insert = database.prepare(
    'INSERT INTO deposits (session, round, seal, key, checksum) SELECT session, randomblob(16), seal, key, checksum FROM deposits LIMIT 1',
  )
  database.transaction(() => {
    for (let number = 1; number < 20_000; number++) insert.run()
  })()
  database.close()
}

/** Gives its sequence. */
async function sayIn({ name, stream }: Region, session: SessionId, message: Stated): Promise<number> {
  return (await stream.publish(logOf(name, session), encodeStatement({ author: 1, message }))).seq
}

/** Says what fills a session, one more, which is refused, and a snapshot, which leads back under the quota; each is told by its sequence. */
async function sayUpToTheQuota(
  region: Region,
  session: SessionId,
  each: (sequence: number) => Promise<void>,
): Promise<void> {
  let covers: readonly [string, Position] | undefined
  for (let number = 0; number < quota / 65_536; number++) {
    const envelope = someEnvelope(65_536)
    const sequence = await sayIn(region, session, append(envelope))
    covers = [await originIn(region), { sequence, mark: markOf(checksumOf(envelope)) }]
    await each(sequence)
  }
  await each(await sayIn(region, session, append(someEnvelope())))
  const snapshot = { covers: new Map(covers && [covers]), replaces: undefined, envelope: someEnvelope() }
  await each(await sayIn(region, session, { type: 'snapshot', ...snapshot }))
}

function append(envelope: Uint8Array): Stated {
  return { type: 'append', ref: 0, envelope }
}

/** How many there were since. A connection does not hear what it says itself. */
function refusalsHeard({ connection }: Region, session: SessionId): () => number {
  let refused = 0
  connection.subscribe(`room.${session}.news`, {
    callback: (_, { data }) => {
      refused += decodeBulletin(data).news.filter(({ outcome }) => outcome.outcome === 'refused').length
    },
  })
  return () => refused
}

async function keptIn(store: SqliteStore, session: SessionId): Promise<Buffer[]> {
  const kept: Buffer[] = []
  let [cursor, isMore] = [new Map<string, Position>(), true]
  while (isMore) {
    const page = await store.since(session, cursor, 0)
    if (page.outcome !== 'page' || !page.upTo) throw new Error('It can be read')
    kept.push(...page.entries.map(({ envelope }) => Buffer.from(envelope)))
    cursor = new Map([[store.origin, page.upTo]])
    isMore = page.more
  }
  return kept
}
