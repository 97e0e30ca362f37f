import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Position } from '../../shared/cursor.ts'
import { createSessionKeys, deleteStatement, roleSeed, sign } from '../../shared/keys.ts'
import { openSqliteStore } from '../sqlite-store.ts'
import { someEnvelope, temporaryFolder } from '../testing.ts'
import { Follower } from './follower.ts'
import { type NatsServer, startNats } from './nats.testing.ts'
import { joinRegion } from './region.ts'
import { encodeStatement, type Stated } from './statement.ts'
import { logOf, originsHere } from './streams.ts'

let nats: NatsServer
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

const shards = new Set(Array.from({ length: 64 }, (_, at) => at))
const envelopeBytes = 10_000
const mostBytes = 20 * envelopeBytes

test('a store whose disk is full keeps only so much of what its region says, deletes what is to be deleted, and misses nothing afterwards', async () => {
  const region = await joinRegion(nats.url, 'east')
  onTestFinished(() => region.leave())
  const [origin = ''] = await originsHere(region.manager)
  const dataDir = temporaryFolder()
  const options = { dataDir, region: 'east', origin, sessionMaxBytes: 1 << 24, sessionIdleDays: 90 }
  const store = await openSqliteStore(options, () => {})
  onTestFinished(async () => {
    await store.close()
    rmSync(dataDir, { recursive: true })
  })
  const [busy, unwanted] = [createSessionKeys(), createSessionKeys()]
  const say = (session: typeof busy.session, message: Stated) =>
    region.stream.publish(logOf('east', session), encodeStatement({ author: 1, message }))
  const append = (envelope: Uint8Array) => ({ type: 'append', ref: 0, envelope }) as const

  const follower = await Follower.start(region, store, shards, mostBytes)
  onTestFinished(() => follower.stop())
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
  const kept: Buffer[] = []
  let [cursor, isMore] = [new Map<string, Position>(), true]
  while (isMore) {
    const page = await store.since(busy.session, cursor, 0)
    if (page.outcome !== 'page' || !page.upTo) throw new Error('It can be read')
    kept.push(...page.entries.map(({ envelope }) => Buffer.from(envelope)))
    cursor = new Map([[origin, page.upTo]])
    isMore = page.more
  }
  expect(kept).toEqual(envelopes.map((envelope) => Buffer.from(envelope)))
  expect((await read()).outcome).toBe('deleted')
}, 60_000)
