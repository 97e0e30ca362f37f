import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import Sqlite from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import {
  createSessionKeys,
  deleteStatement,
  keysFor,
  roleSeed,
  type SessionKeys,
  sign,
} from '../../shared/keys.ts'
import { damagePage } from '../commands/kept.testing.ts'
import { BareClient } from '../connections/bare-client.testing.ts'
import { closeCodes } from '../connections/close-words.ts'
import { newFolder } from '../fixtures.testing.ts'
import { freePort } from '../free-port.testing.ts'
import { Meters } from '../operators/meters.ts'
import type { Report } from '../operators/report.ts'
import { spawnRelay } from '../process.testing.ts'
import { readConfig } from '../settings/config.ts'
import { databaseName, openDatabase, versions } from '../store/database.ts'
import { shardOf } from '../store/shard.ts'
import type { SqliteStore } from '../store/sqlite-store.ts'
import { someEnvelope, startRelay, type TestRelay, type TestRelayOptions } from '../testing.ts'
import { Copies, type CopyRequest, type Offer, offersSubject } from './copies.ts'
import { type NatsServer, startNats } from './nats.testing.ts'
import { type Kept, Origins } from './origins.ts'
import { Questions } from './questions.ts'
import { joinRegion, type Region } from './region.ts'
import { encodeStatement } from './statement.ts'
import { logOf, originOf, originsHere, provideStream, regionOf, streamOf } from './streams.ts'

const twoDays = 2 * 86_400_000
const sessions = 8
const [lower, upper] = [numbers(0, 32), numbers(32, 64)]

let nats: NatsServer
let regions = 0
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

let region: Region
let running: TestRelay[]
/** A region whose stream is older than what it keeps. */
beforeEach(async () => {
  running = []
  const name = `old${++regions}`
  const any = await joinRegion(nats.url, `any${regions}`)
  await provideStream(any.manager, name, Date.now() - twoDays)
  await any.leave()
  region = await joinRegion(nats.url, name)
})
afterEach(async () => {
  await Promise.all(running.map((relay) => relay.stop()))
  await region.leave()
})

test('a store on an empty disk has what the stream has no more from another store, before it answers', async () => {
  const relay = await started({ role: 'relay' })
  const store = await started({ role: 'store' })
  const owner = createSessionKeys()
  const old = await savedBy(relay, owner)
  await ringMovesOn()
  const recent = await savedBy(relay, owner)
  const added = await started({ role: 'store' })
  expect(added.reports).toContainEqual({ event: 'copied', region: region.name })
  await stop(store)
  const carol = await BareClient.join(relay.url, keysFor('member', owner))
  expect(carol.envelopes()).toEqual([old, recent])
  const later = await savedBy(relay, owner)
  expect((await BareClient.join(relay.url, keysFor('observer', owner))).envelopes()).toEqual([
    old,
    recent,
    later,
  ])
}, 60_000)

test('a store of all shards is filled by several that have some each, and what was deleted stays deleted', async () => {
  const relay = await started({ role: 'relay' })
  const stores = [
    await started({ role: 'store', shards: lower }),
    await started({ role: 'store', shards: upper }),
  ]
  const owners = Array.from({ length: 12 }, () => createSessionKeys())
  expect(new Set(owners.map(({ session }) => lower.has(shardOf(session)))).size).toBe(2)
  const sent = new Map<SessionKeys, Uint8Array>()
  for (const owner of owners) sent.set(owner, await savedBy(relay, owner))
  const [gone, ...rest] = owners as [SessionKeys, ...SessionKeys[]]
  const alice = await BareClient.join(relay.url, gone)
  alice.send({ type: 'delete', signature: sign(deleteStatement(gone.session), roleSeed(gone)) })
  expect(await alice.closed).toEqual(closeCodes.deleted)
  await ringMovesOn()
  await started({ role: 'store' })
  for (const store of stores) await stop(store)
  for (const owner of rest)
    expect((await BareClient.join(relay.url, owner)).envelopes()).toEqual([sent.get(owner)])
  await expect(BareClient.join(relay.url, gone)).rejects.toThrow('4')
}, 60_000)

test('a store that is given more shards gets their older sessions, too', async () => {
  const relay = await started({ role: 'relay' })
  const first = await started({ role: 'store', shards: lower })
  const dataDir = newFolder()
  const second = await started({ role: 'store', shards: upper, dataDir })
  const owner = ownerOf(lower)
  const old = await savedBy(relay, owner)
  await ringMovesOn()
  await stop(second)
  await started({ role: 'store', dataDir })
  await stop(first)
  expect((await BareClient.join(relay.url, owner)).envelopes()).toEqual([old])
}, 60_000)

test('a page that is damaged in the only store that has it costs what lay on it, and a new store has the rest', async () => {
  const dataDir = newFolder()
  const relay = await started({ role: 'relay' })
  const store = await started({ role: 'store', dataDir })
  const sent = new Map<SessionKeys, Uint8Array>()
  for (const owner of Array.from({ length: 40 }, createSessionKeys))
    sent.set(owner, await savedBy(relay, owner))
  await ringMovesOn()
  await stop(store)
  damagePage(join(dataDir, ...readdirSync(dataDir)), 'entries')
  const damaged = await started({ role: 'store', dataDir })
  const added = await started({ role: 'store' })
  expect(added.reports).toContainEqual({ event: 'damagedRow', table: 'entries' })
  expect(added.reports).toContainEqual({ event: 'copied', region: region.name })
  await stop(damaged)
  let found = 0
  for (const [owner, envelope] of sent) {
    const envelopes = (await BareClient.join(relay.url, owner)).envelopes()
    if (envelopes.length === 0) continue
    expect(envelopes).toEqual([envelope])
    found++
  }
  expect(found).toBeLessThan(sent.size)
  expect(found).toBeGreaterThan(sent.size / 2)
}, 60_000)

test('two stores that come at once are both filled by the one that is there', async () => {
  const relay = await started({ role: 'relay' })
  const store = await started({ role: 'store' })
  const owner = createSessionKeys()
  const old = await savedBy(relay, owner)
  await ringMovesOn()
  const added = await Promise.all([started({ role: 'store' }), started({ role: 'store' })])
  await stop(store)
  for (const one of added) {
    expect(one.reports.filter(({ event }) => event === 'failed')).toEqual([])
    expect((await BareClient.join(relay.url, owner)).envelopes()).toEqual([old])
    await stop(one)
  }
}, 60_000)

test('a store gives no copy for which its disk has no room, and says so at once', async () => {
  const dataDir = newFolder()
  const first = await started({ role: 'both', dataDir })
  await savedBy(first, createSessionKeys())
  await stop(first)
  await started({ role: 'store', dataDir, diskReserve: 1e14 })
  await ringMovesOn()
  const config = { ...readConfig({}), region: region.name, dataDir: newFolder() }
  await expect(Origins.open(region, config, () => {}, new Meters(), 0)).rejects.toThrow('BEGIN_EMPTY')
})

test('a store asks for no copy for which its disk has no room, and says so', async () => {
  const other = await another()
  const asked: string[] = []
  offerCopies(other, new Map([[originOf(await stream()), 7]]), ({ origin }) => {
    asked.push(origin)
  })
  await region.stream.publish(logOf(region.name, createSessionKeys().session), 'something')
  await ringMovesOn()
  const config = { ...readConfig({}), region: region.name, dataDir: newFolder(), diskReserve: 1e14 }
  const reports: Report[] = []
  const opening = Origins.open(region, config, (report) => reports.push(report), new Meters(), 0)
  await expect(opening).rejects.toThrow('BEGIN_EMPTY')
  expect(reports).toContainEqual({ event: 'failed', error: expect.stringContaining('no room for a copy') })
  expect(asked).toEqual([])
})

test('a store that serves asks no more for the copy of another region’s log for which its disk has no room', async () => {
  const far = `far${regions}-${(Date.now() - twoDays).toString(36)}`
  const other = await another()
  let [asked, looks] = [0, 0]
  offerCopies(other, new Map([[far, 7]]), () => {
    asked++
    return { bytes: 1e15, sha256: '' }
  })
  other.connection.subscribe(offersSubject, { callback: () => void looks++ })
  await other.connection.flush()
  const regionsOf = [{ name: regionOf(far), url: 'http://far.example/' }]
  const config = { ...readConfig({}), region: region.name, regions: regionsOf, dataDir: newFolder() }
  const reports: Report[] = []
  const origins = await Origins.open(region, config, (report) => reports.push(report), new Meters(), 0)
  onTestFinished(() => origins.close())
  await expect.poll(() => looks, { timeout: 30_000 }).toBeGreaterThan(3)
  expect(asked).toBe(1)
  expect(reports).toEqual([{ event: 'failed', error: expect.stringContaining('no room for a copy') }])
}, 60_000)

test('why another region’s log cannot be had a store says once, however often it tries', async () => {
  const [far, blocked] = ['far', 'blocked'].map(
    (name) => `${name}${regions}-${(Date.now() - twoDays).toString(36)}`,
  ) as [string, string]
  let asked = 0
  offerCopies(await another(), new Map([far, blocked].map((origin) => [origin, 7])), ({ origin }) => {
    if (origin === far) asked++
    return { bytes: 1, sha256: '' }
  })
  const addresses = [far, blocked].map((origin) => ({ name: regionOf(origin), url: 'http://far.example/' }))
  const dataDir = newFolder()
  const config = { ...readConfig({}), region: region.name, regions: addresses, dataDir }
  const reports: Report[] = []
  const origins = await Origins.open(region, config, (report) => reports.push(report), new Meters(), 0)
  onTestFinished(() => origins.close())
  writeFileSync(join(dataDir, blocked), 'in the way')
  const before = asked
  await expect.poll(() => asked, { timeout: 40_000 }).toBeGreaterThan(before + 2)
  const failed = reports.map((report) => String('error' in report && report.error))
  expect(failed.filter((words) => words.includes('not a directory'))).toHaveLength(1)
  // Of each of the two copies.
  expect(failed.filter((words) => words.includes('Unable to deserialize'))).toHaveLength(2)
}, 60_000)

test('while nobody has what is older than the stream a store does not begin, and says what to do', async () => {
  await savedBy(await started({ role: 'both' }), createSessionKeys())
  await Promise.all(running.splice(0).map((relay) => relay.stop()))
  await ringMovesOn()
  const dataDir = newFolder()
  const open = (beginEmpty: boolean) =>
    Origins.open(
      region,
      { ...readConfig({}), region: region.name, dataDir, beginEmpty },
      () => {},
      new Meters(),
      0,
    )
  await expect(open(false)).rejects.toThrow('set BEGIN_EMPTY=1 to do without them')
  expect(readdirSync(dataDir)).toEqual([])
  const origins = await open(true)
  expect([...origins.all]).toHaveLength(1)
  await origins.close()
})

test('a store that was off for longer than the stream lasts begins all the same, and says that it missed something', async () => {
  const relay = await started({ role: 'relay' })
  const dataDir = newFolder()
  const store = await started({ role: 'store', dataDir })
  const owner = createSessionKeys()
  const old = await savedBy(relay, owner)
  const alice = await BareClient.join(relay.url, owner)
  await stop(store)
  alice.append(someEnvelope())
  await expect.poll(() => lastSequence(), { timeout: 10_000 }).toBeGreaterThan(1)
  await ringMovesOn()
  const again = await started({ role: 'store', dataDir })
  const incomplete = { event: 'incomplete', region: region.name }
  await expect.poll(() => again.reports, { timeout: 30_000 }).toContainEqual(incomplete)
  expect((await BareClient.join(relay.url, owner)).envelopes()).toContainEqual(old)
}, 60_000)

test('a store that was off for longer than the stream lasts has the rest from one that starts a moment later', async () => {
  const [dataDir, otherDir] = [newFolder(), newFolder()]
  const relay = await started({ role: 'relay' })
  const behind = await started({ role: 'store', dataDir })
  const store = await started({ role: 'store', dataDir: otherDir })
  const owner = createSessionKeys()
  const sent = [await savedBy(relay, owner)]
  await stop(behind)
  sent.push(await savedBy(relay, owner))
  await stop(store)
  await ringMovesOn()
  const again = await started({ role: 'store', dataDir })
  const other = await started({ role: 'store', dataDir: otherDir })
  const copied = { event: 'copied', region: region.name }
  await expect.poll(() => again.reports, { timeout: 30_000 }).toContainEqual(copied)
  await stop(other)
  expect((await BareClient.join(relay.url, owner)).envelopes()).toEqual(sent)
  expect(again.reports).not.toContainEqual({ event: 'incomplete', region: region.name })
  sent.push(await savedBy(relay, owner))
  expect((await BareClient.join(relay.url, owner)).envelopes()).toEqual(sent)
}, 60_000)

test('what the stream lost while a store stood still it takes from one that had read it, while it serves', async () => {
  const store = await started({ role: 'store' })
  const behind = await standingStill()
  await expect
    .poll(() => appliedIn(join(store.dataDir, behind.origin)), { timeout: 20_000 })
    .toBe(behind.last)
  await ringMovesOn()
  await expect.poll(() => behind.kept().lacked.size, { timeout: 20_000 }).toBe(64)
  await behind.goOn()
  const copied = { event: 'copied', region: region.name }
  await expect.poll(() => behind.reports, { timeout: 30_000 }).toContainEqual(copied)
  const upTo = await behind.say()
  await expect.poll(() => behind.kept().follower?.upTo).toBe(upTo)
  expect(behind.kept().lacked.size).toBe(0)
  expect(sequencesIn(behind.kept().folder)).toEqual(Array.from({ length: upTo }, (_, at) => at + 1))
}, 60_000)

test('what the stream lost while its only store stood still is given up, and that is said', async () => {
  const behind = await standingStill()
  await ringMovesOn()
  const upTo = await behind.goOn()
  const incomplete = { event: 'incomplete', region: region.name }
  await expect.poll(() => behind.reports, { timeout: 30_000 }).toContainEqual(incomplete)
  await expect.poll(() => behind.kept().follower?.upTo).toBe(upTo)
  expect(behind.reports.filter(({ event }) => event === 'incomplete')).toHaveLength(1)
  const sequences = sequencesIn(behind.kept().folder)
  expect(sequences.slice(-sessions)).toEqual(
    Array.from({ length: sessions }, (_, at) => behind.last + 1 + at),
  )
  expect(sequences).not.toContain(behind.last)
}, 60_000)

test('of what the stream lost a store takes at last what one has that did not read all of it either', async () => {
  const store = await started({ role: 'store' })
  const behind = await standingStill()
  const folder = join(store.dataDir, behind.origin)
  await expect.poll(() => appliedIn(folder), { timeout: 20_000 }).toBe(behind.last)
  await stop(store)
  const lost = await behind.say()
  await ringMovesOn()
  const follower = { upTo: behind.last, note: async () => {} }
  const kept = { store: { origin: behind.origin }, folder, isWhole: true, follower } as unknown as Kept
  const copies = new Copies(await another(), { all: [kept] }, { shards: numbers(0, 64) })
  onTestFinished(() => copies.stop())
  const upTo = await behind.goOn()
  const incomplete = { event: 'incomplete', region: region.name }
  await expect.poll(() => behind.reports, { timeout: 40_000 }).toContainEqual(incomplete)
  await expect.poll(() => behind.kept().follower?.upTo).toBe(upTo)
  expect(sequencesIn(behind.kept().folder)).toEqual([
    ...numbers(1, behind.last + 1),
    ...numbers(lost + 1, upTo + 1),
  ])
}, 60_000)

test('what the stream lost is not given up while only the disk has no room for it', async () => {
  const behind = await standingStill()
  await ringMovesOn()
  let asked = 0
  offerCopies(await another(), new Map([[behind.origin, 1e9]]), () => {
    asked++
    return { bytes: 1e15, sha256: '' }
  })
  await behind.goOn()
  const failed = { event: 'failed', error: expect.stringContaining('no room for a copy') }
  await expect.poll(() => behind.reports, { timeout: 20_000 }).toContainEqual(failed)
  await expect.poll(() => behind.kept().lacked.size, { timeout: 20_000 }).toBe(64)
  expect(behind.kept().gapTries).toBe(0)
  expect(asked).toBe(1)
}, 60_000)

test('a store that stood still reads on, though its stream loses something whenever something is said', async () => {
  const behind = await standingStill()
  await region.manager.streams.update(await stream(), { max_msgs: 8 * sessions })
  const upTo = await behind.goOn()
  await expect
    .poll(
      async () => {
        await behind.say()
        return behind.kept().follower?.upTo
      },
      { timeout: 40_000, interval: 200 },
    )
    .toBeGreaterThan(upTo)
  const last = await lastSequence()
  await expect.poll(() => behind.kept().follower?.upTo, { timeout: 10_000 }).toBe(last)
  expect(behind.reports.filter(({ event }) => event === 'incomplete')).toHaveLength(1)
}, 60_000)

test('what the stream lost while a store stood still it takes from one that is away just when it looks, too', async () => {
  const dataDir = newFolder()
  const store = await started({ role: 'store', dataDir })
  const behind = await standingStill()
  await expect.poll(() => appliedIn(join(dataDir, behind.origin)), { timeout: 20_000 }).toBe(behind.last)
  await stop(store)
  await ringMovesOn()
  await behind.goOn()
  await expect.poll(() => behind.kept().gapTries, { timeout: 30_000 }).toBe(1)
  await started({ role: 'store', dataDir })
  await expect.poll(() => sequencesIn(behind.kept().folder), { timeout: 30_000 }).toContain(behind.last)
}, 60_000)

test('what a deletion took out of the stream is not missed, though NATS could not say at once that nothing else is gone', async () => {
  const [session, deleted] = [createSessionKeys().session, createSessionKeys().session]
  const message = { type: 'append', ref: 0, envelope: someEnvelope() } as const
  for (const each of [session, deleted, session])
    await region.stream.publish(logOf(region.name, each), encodeStatement({ author: 1, message }))
  await region.manager.streams.purge(await stream(), { filter: logOf(region.name, deleted) })
  const reports: Report[] = []
  const config = { ...readConfig({}), region: region.name, dataDir: newFolder() }
  const { streams } = region.manager
  const info = streams.info.bind(streams)
  const asked = vi.spyOn(streams, 'info').mockImplementationOnce(info).mockRejectedValue(new Error('away'))
  const origins = await Origins.open(region, config, (report) => reports.push(report), new Meters(), 0)
  onTestFinished(() => origins.close())
  const [{ follower } = {}] = [...origins.all]
  await expect.poll(() => follower?.gapEnd).toBe(3)
  asked.mockRestore()
  await expect.poll(() => [...origins.all][0]?.follower?.upTo, { timeout: 20_000 }).toBe(3)
  expect(reports).toEqual([])
}, 60_000)

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

test('a copy that a store was killed with, and does not need any more, is gone when it starts again', async () => {
  const dataDir = newFolder()
  await started({ role: 'both', dataDir })
  await Promise.all(running.splice(0).map((relay) => relay.stop()))
  const [origin = ''] = readdirSync(dataDir)
  const left = ['copy.sqlite', 'copy.sqlite-wal']
  for (const name of left) writeFileSync(join(dataDir, origin, name), 'what may be deleted since')
  await started({ role: 'both', dataDir })
  expect(readdirSync(join(dataDir, origin)).filter((name) => left.includes(name))).toEqual([])
}, 60_000)

test('a store that is told to stop while it fills ends at once', async () => {
  await savedBy(await started({ role: 'both' }), createSessionKeys())
  await Promise.all(running.splice(0).map((relay) => relay.stop()))
  await ringMovesOn()
  const asked = new Promise<void>((resolve) => {
    region.connection.subscribe(offersSubject, { callback: () => resolve() })
  })
  await region.connection.flush()
  const environment = { NATS_URL: nats.url, REGION: region.name, ROLE: 'store', DATA_DIR: newFolder() }
  const store = spawnRelay({ ...environment, PORT: String(await freePort()) })
  await asked
  const told = performance.now()
  store.kill('SIGTERM')
  await once(store, 'exit')
  expect(store.exitCode).toBe(0)
  expect(performance.now() - told).toBeLessThan(5_000)
}, 60_000)

test('how far a store has read stands in its database soon after, though nothing else is said', async () => {
  const dataDir = newFolder()
  const relay = await started({ role: 'both', dataDir })
  const alice = await BareClient.join(relay.url, createSessionKeys())
  for (let said = 0; said < 3; said++) await alice.save(someEnvelope())
  const last = await lastSequence()
  const [origin = ''] = [...readdirSync(dataDir)]
  await expect.poll(() => appliedIn(join(dataDir, origin)), { timeout: 10_000 }).toBe(last)
})

test('a stream that a store cannot keep does not keep it from another one that begins', async () => {
  const far = `aaa${regions}-${Date.now().toString(36)}`
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
  const far = `far${regions}-${(Date.now() - age).toString(36)}`
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

function envelopesIn(folder: string): unknown[] {
  const database = new Sqlite(join(folder, databaseName), { readonly: true })
  try {
    return database.prepare('SELECT envelope FROM entries ORDER BY sequence').pluck().all()
  } finally {
    database.close()
  }
}

const otherOrigin = 'other-0'

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

/** NATS brings nobody what they say themselves. */
async function another(): Promise<Region> {
  const other = await joinRegion(nats.url, region.name)
  onTestFinished(() => other.leave())
  return other
}

type Make = Extract<CopyRequest, { type: 'make' }>

/** As a store of all shards would, whose copies do not come, whatever it says of them. Told of each that is asked for. */
function offerCopies(
  { connection, name }: Region,
  origins: ReadonlyMap<string, number>,
  asked: (request: Make) => unknown,
): void {
  const subject = `copies.${name}`
  const offer: Offer = { subject, region: name, schema: versions.length, shards: numbers(0, 64), origins }
  connection.subscribe(offersSubject, { callback: (_, message) => void message.respond(serialize(offer)) })
  connection.subscribe(subject, {
    callback: (_, message) => {
      const request: CopyRequest = deserialize(message.data)
      const made = request.type === 'make' ? asked(request) : undefined
      message.respond(made === undefined ? undefined : serialize(made))
    },
  })
}

async function openOrigins(dataDir: string): Promise<Origins> {
  const config = { ...readConfig({}), region: region.name, dataDir }
  const origins = await Origins.open(region, config, () => {}, new Meters(), 0)
  onTestFinished(() => origins.close())
  return origins
}

/** A store with a full disk, and more in its stream than it lets wait. */
async function standingStill() {
  const config = { ...readConfig({}), region: region.name, dataDir: newFolder(), beginEmpty: true }
  const reports: Report[] = []
  const origins = await Origins.open(region, config, (report) => reports.push(report), new Meters(), 0)
  onTestFinished(() => origins.close())
  const origin = originOf(await stream())
  const kept = () => origins.of(origin) as Kept
  const store = kept().store as SqliteStore
  await store.limit(1)
  const owners = Array.from({ length: sessions }, () => createSessionKeys())
  const say = async () => {
    for (const { session } of owners) {
      const message = { type: 'append', ref: 0, envelope: someEnvelope(65_000) } as const
      await region.stream.publish(logOf(region.name, session), encodeStatement({ author: 1, message }))
    }
    return lastSequence()
  }
  for (let times = 0; times < 80; times++) await say()
  const last = await lastSequence()
  const goOn = async () => {
    await store.limit(undefined)
    return say()
  }
  return { origin, last, reports, kept, say, goOn }
}

function sequencesIn(folder: string): unknown[] {
  const database = new Sqlite(join(folder, databaseName), { readonly: true })
  try {
    return database.prepare('SELECT sequence FROM entries ORDER BY sequence').pluck().all()
  } finally {
    database.close()
  }
}

function appliedIn(folder: string): number {
  const database = new Sqlite(join(folder, databaseName), { readonly: true })
  try {
    return Number(database.prepare(`SELECT value FROM facts WHERE name = 'applied'`).pluck().get())
  } finally {
    database.close()
  }
}

test('what others call their origins leads out of no folder', async () => {
  const parent = newFolder()
  writeFileSync(join(parent, 'precious'), 'not ours')
  region.connection.subscribe('copies', {
    callback: (_, message) => {
      const origins = new Map([
        ['..', 7],
        ['../elsewhere', 7],
      ])
      const offer = {
        subject: 'nobody',
        region: region.name,
        schema: versions.length,
        shards: lower,
        origins,
      }
      message.respond(serialize(offer))
    },
  })
  await started({ role: 'store', dataDir: join(parent, 'data') })
  expect(readdirSync(parent).sort()).toEqual(['data', 'precious'])
}, 60_000)

function numbers(from: number, to: number): ReadonlySet<number> {
  return new Set(Array.from({ length: to - from }, (_, at) => from + at))
}

function ownerOf(shards: ReadonlySet<number>): SessionKeys {
  for (;;) {
    const owner = createSessionKeys()
    if (shards.has(shardOf(owner.session))) return owner
  }
}

async function started(options: TestRelayOptions): Promise<TestRelay> {
  const relay = await startRelay({ natsUrl: nats.url, region: region.name, dataDir: newFolder(), ...options })
  running.push(relay)
  return relay
}

async function stop(relay: TestRelay): Promise<void> {
  running = running.filter((other) => other !== relay)
  await relay.stop()
}

async function savedBy(relay: TestRelay, owner: SessionKeys): Promise<Uint8Array> {
  const alice = await BareClient.join(relay.url, owner)
  const envelope = someEnvelope()
  expect(await alice.save(envelope)).toMatchObject({ type: 'saved' })
  await alice.leave()
  return envelope
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

/** As after a day: what the stream had is gone. */
async function ringMovesOn(): Promise<void> {
  await region.manager.streams.purge(await stream())
}

async function lastSequence(): Promise<number> {
  return (await region.manager.streams.info(await stream())).state.last_seq
}

async function stream(): Promise<string> {
  const origins = await originsHere(region.manager)
  return streamOf(origins.find((origin) => regionOf(origin) === region.name) ?? '')
}
