import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createSessionKeys, deleteStatement, roleSeed, type SessionKeys, sign } from '../../shared/keys.ts'
import { BareClient } from '../connections/bare-client.testing.ts'
import { closeCodes } from '../connections/close-words.ts'
import { newFolder } from '../fixtures.testing.ts'
import { Meters } from '../operators/meters.ts'
import type { Report, Reporter } from '../operators/report.ts'
import { readConfig } from '../settings/config.ts'
import { databaseName, openDatabase } from '../store/database.ts'
import type { SqliteStore } from '../store/sqlite-store.ts'
import { someEnvelope, type TestRelay } from '../testing.ts'
import { offersSubject } from './copies.ts'
import { Deletions } from './deletions.ts'
import type { Kept } from './kept.ts'
import {
  another,
  appliedIn,
  lastSequence,
  numbers,
  offerCopies,
  originElsewhere,
  ownerOf,
  region,
  savedBy,
  started,
  stop,
  stream,
  twoDays,
} from './old-region.testing.ts'
import { Origins } from './origins.ts'
import { Questions } from './questions.ts'
import { encodeStatement } from './statement.ts'
import { logOf, originOf, regionOf, streamOf } from './streams.ts'

const [lower, upper] = [numbers(0, 32), numbers(32, 64)]
const otherOrigin = 'other-0'

test('what a store had not read when a stream was lost it takes from one that had, while it serves', async () => {
  const relay = await started({ role: 'relay' })
  const store = await started({ role: 'store' })
  const owner = createSessionKeys()
  const sent = [await savedBy(relay, owner)]
  const behind = await held(newFolder())
  const [somebody, nobody] = [createSessionKeys(), createSessionKeys()]
  sent.push(await keptBy(store, relay, owner))
  const first = await keptBy(store, relay, somebody)
  await region.manager.streams.delete(await stream())
  const copied = { event: 'copied', region: region.name }
  await expect.poll(() => behind.reports, { timeout: 30_000 }).toContainEqual(copied)
  expect(store.reports).not.toContainEqual(copied)
  await stop(store)
  expect((await BareClient.join(relay.url, owner)).envelopes()).toEqual(sent)
  expect((await BareClient.join(relay.url, somebody)).envelopes()).toEqual([first])
  expect((await BareClient.join(relay.url, nobody)).envelopes()).toEqual([])
}, 60_000)

test('of shards that another store has it takes the rest of a lost stream once, and keeps the others', async () => {
  const relay = await started({ role: 'relay' })
  const behind = await started({ role: 'store' })
  const [other, owner] = [ownerOf(upper), ownerOf(lower)]
  const own = await savedBy(relay, other)
  const sent = [await savedBy(relay, owner)]
  await stop(behind)
  const store = await started({ role: 'store', shards: lower })
  const full = await held(behind.dataDir)
  sent.push(await keptBy(store, relay, owner))
  let looks = 0
  await region.manager.streams.delete(await stream())
  const copies = () => full.reports.filter(({ event }) => event === 'copied').length
  await expect.poll(copies, { timeout: 30_000 }).toBe(1)
  region.connection.subscribe(offersSubject, { callback: () => void looks++ })
  await expect.poll(() => looks, { timeout: 30_000 }).toBeGreaterThan(5)
  expect(copies()).toBe(1)
  await stop(store)
  expect((await BareClient.join(relay.url, owner)).envelopes()).toEqual(sent)
  expect((await BareClient.join(relay.url, other)).envelopes()).toEqual([own])
}, 60_000)

test('a store that was off when a stream was lost has all of it from another one, before it answers', async () => {
  const dataDir = newFolder()
  const relay = await started({ role: 'relay' })
  const store = await started({ role: 'store' })
  const off = await started({ role: 'store', dataDir })
  const owner = createSessionKeys()
  const sent = [await savedBy(relay, owner)]
  await stop(off)
  sent.push(await savedBy(relay, owner))
  await region.manager.streams.delete(await stream())
  await expect.poll(stream, { timeout: 10_000 }).not.toBe(streamOf(''))
  const again = await started({ role: 'store', dataDir })
  await stop(store)
  expect((await BareClient.join(relay.url, owner)).envelopes()).toEqual(sent)
  expect(again.reports).toContainEqual({ event: 'copied', region: region.name })
}, 60_000)

test('of two streams that were lost, one that cannot be copied keeps nobody from copying the other', async () => {
  const dataDir = newFolder()
  const origins = ['other-0', 'other-1']
  for (const origin of origins) otherDatabase(dataDir, '', origin)
  await openOrigins(dataDir)
  const asked = new Set<string>()
  offerCopies(await another(), new Map(origins.map((origin) => [origin, 7])), ({ origin }) => {
    asked.add(origin)
  })
  await expect.poll(() => [...asked].sort(), { timeout: 20_000 }).toEqual(origins)
}, 60_000)

test('a session that is deleted after its stream was lost leaves nothing in the database of that one either', async () => {
  const dataDir = newFolder()
  const relay = await started({ role: 'relay' })
  await started({ role: 'store', dataDir })
  const owner = createSessionKeys()
  const kept = await savedBy(relay, createSessionKeys())
  await savedBy(relay, owner)
  const lost = originOf(await stream())
  await region.manager.streams.delete(await stream())
  await expect.poll(stream, { timeout: 10_000 }).not.toBe(streamOf(''))
  const joined = async () => BareClient.join(relay.url, owner).catch(() => undefined)
  await expect.poll(async () => (await joined())?.envelopes().length, { timeout: 20_000 }).toBe(1)
  const alice = await BareClient.join(relay.url, owner)
  alice.send({ type: 'delete', signature: sign(deleteStatement(owner.session), roleSeed(owner)) })
  expect(await alice.closed).toEqual(closeCodes.deleted)
  const left = () => envelopesIn(join(dataDir, lost))
  await expect.poll(left, { timeout: 20_000 }).toEqual([Buffer.from(kept)])
}, 60_000)

test('a deletion that one of a store’s databases refuses for a moment comes to it all the same', async () => {
  const { session } = createSessionKeys()
  const dataDir = newFolder()
  otherDatabase(dataDir, `INSERT INTO sessions (id, head, day) VALUES ('${session}', 0, 1)`)
  const origins = await openOrigins(dataDir)
  const store = origins.of(otherOrigin)?.store as SqliteStore
  const refused = vi.spyOn(store, 'delete').mockResolvedValue({ outcome: 'refused', reason: 'unreachable' })
  const message = { type: 'delete', signature: new Uint8Array(64) } as const
  await region.stream.publish(logOf(region.name, session), encodeStatement({ author: 1, message }))
  await expect.poll(() => refused.mock.calls.length, { timeout: 20_000 }).toBe(3)
  refused.mockRestore()
  const read = async () => (await store.since(session, new Map(), 0)).outcome
  await expect.poll(read, { timeout: 20_000 }).toBe('deleted')
}, 60_000)

test('a store that cannot say a deletion stops when it is told to, and says it when it starts again', async () => {
  const { session } = createSessionKeys()
  const dataDir = newFolder()
  otherDatabase(dataDir, `INSERT INTO deletions VALUES ('${session}', 1)`)
  const message = { type: 'append', ref: 0, envelope: someEnvelope() } as const
  await region.stream.publish(logOf(region.name, session), encodeStatement({ author: 1, message }))
  const origins = await openOrigins(dataDir)
  const own = [...origins.all].find(({ store }) => regionOf(store.origin) === region.name) as Kept
  await expect.poll(() => own.follower?.upTo).toBe(1)
  let fail = (_: Error) => {}
  const said = vi.spyOn(region.stream, 'publish').mockReturnValue(
    new Promise((_, reject) => {
      fail = reject
    }),
  )
  await expect.poll(() => said.mock.calls.length, { timeout: 10_000 }).toBe(1)
  const closed = origins.close()
  fail(new Error('NATS is away'))
  await closed
  said.mockRestore()
  const again = await openOrigins(dataDir)
  const read = async () => (await again.of(own.store.origin)?.store.since(session, new Map(), 0))?.outcome
  await expect.poll(read, { timeout: 10_000 }).toBe('deleted')
}, 60_000)

test('why it cannot look for what was deleted a store says once, until it could meanwhile', async () => {
  const locked = new Error('database is locked')
  const spread = vi.spyOn(Deletions.prototype, 'spread')
  onTestFinished(() => spread.mockRestore())
  for (const error of [locked, locked, undefined, locked])
    if (error) spread.mockRejectedValueOnce(error)
    else spread.mockResolvedValueOnce()
  const reports: Report[] = []
  await openOrigins(newFolder(), (report) => reports.push(report))
  await expect.poll(() => spread.mock.calls.length, { timeout: 40_000 }).toBe(5)
  const said = { event: 'failed', error: String(locked) }
  expect(reports.filter(({ event }) => event === 'failed')).toEqual([said, said])
}, 60_000)

test('a stream that a store cannot keep does not keep it from another one that begins', async () => {
  const far = originElsewhere('aaa', 0)
  const address = { name: regionOf(far), url: 'http://far.example/' }
  const dataDir = newFolder()
  const config = { ...readConfig({}), region: region.name, regions: [address], dataDir, beginEmpty: true }
  const origins = await Origins.open(region, config, () => {}, new Meters(), 0)
  onTestFinished(() => origins.close())
  writeFileSync(join(dataDir, far), 'in the way')
  await region.manager.streams.add({ name: streamOf(far), subjects: [`log.${regionOf(far)}.*.*`] })
  await region.manager.streams.delete(await stream())
  const followed = () => [...origins.all].filter(({ follower }) => follower).map(({ store }) => store.origin)
  await expect.poll(stream, { timeout: 10_000 }).not.toBe(streamOf(''))
  const begun = originOf(await stream())
  await expect.poll(followed, { timeout: 10_000 }).toEqual([begun])
}, 30_000)

test.each([
  ['an old', twoDays],
  ['a young', 0],
])('a mirror of %s stream that has nothing yet is not taken for all that was ever said', async (_, age) => {
  const far = originElsewhere('far', age)
  await region.manager.streams.add({
    name: streamOf(far),
    mirror: { name: streamOf(far), domain: 'elsewhere' },
  })
  const address = { name: regionOf(far), url: 'http://far.example/' }
  const config = {
    ...readConfig({}),
    region: region.name,
    regions: [address],
    dataDir: newFolder(),
  }
  const origins = await Origins.open(region, config, () => {}, new Meters(), 0)
  onTestFinished(() => origins.close())
  expect([...origins.all].map(({ store }) => regionOf(store.origin))).toEqual([region.name])
})

/** Of a stream that is gone, with all that was said in it. */
function otherDatabase(dataDir: string, having: string, origin = otherOrigin): void {
  const { database, close } = openDatabase(join(dataDir, origin), region.name, origin)
  database.exec(having)
  database.prepare(`INSERT INTO facts VALUES ('shards', ?)`).run([...numbers(0, 64)].join())
  close()
}

/** A store that answers, and commits nothing more of what its stream says. */
async function held(dataDir: string) {
  const config = { ...readConfig({}), region: region.name, dataDir }
  const reports: Report[] = []
  const own = await another()
  const origins = await Origins.open(own, config, (report) => reports.push(report), new Meters())
  const questions = new Questions(own, origins, config.shards)
  onTestFinished(async () => {
    await questions.stop()
    await origins.close()
  })
  for (const { store } of origins.all) {
    vi.spyOn(store, 'append').mockResolvedValue({ outcome: 'refused', reason: 'full' })
    vi.spyOn(store, 'check').mockResolvedValue({ outcome: 'refused', reason: 'full' })
  }
  return { reports }
}

/**
 * Of two stores the other one may refuse it first, or something before it, and then the room takes nothing for a while. The stream takes
 * the same envelope once.
 */
async function keptBy(store: TestRelay, relay: TestRelay, owner: SessionKeys): Promise<Uint8Array> {
  const envelope = someEnvelope()
  const before = await lastSequence()
  const said = async () => {
    const alice = await BareClient.join(relay.url, owner)
    alice.append(envelope)
    await alice.leave()
    return lastSequence()
  }
  await expect.poll(said, { timeout: 10_000 }).toBe(before + 1)
  const folder = join(store.dataDir, originOf(await stream()))
  await expect.poll(() => appliedIn(folder), { timeout: 10_000 }).toBe(before + 1)
  return envelope
}

async function openOrigins(dataDir: string, report: Reporter = () => {}): Promise<Origins> {
  const config = { ...readConfig({}), region: region.name, dataDir }
  const origins = await Origins.open(region, config, report, new Meters(), 0)
  onTestFinished(() => origins.close())
  return origins
}

function envelopesIn(folder: string): unknown[] {
  const database = new Sqlite(join(folder, databaseName), { readonly: true })
  try {
    return database.prepare('SELECT envelope FROM entries ORDER BY sequence').pluck().all()
  } finally {
    database.close()
  }
}
