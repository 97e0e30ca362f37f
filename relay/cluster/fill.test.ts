import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serialize } from 'node:v8'
import { expect, onTestFinished, test } from 'vitest'
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
import { versions } from '../store/database.ts'
import { shardOf } from '../store/shard.ts'
import { offersSubject } from './copies.ts'
import {
  another,
  nats,
  numbers,
  offerCopies,
  originElsewhere,
  ownerOf,
  region,
  ringMovesOn,
  savedBy,
  started,
  stop,
  stopAll,
  stream,
} from './old-region.testing.ts'
import { Origins } from './origins.ts'
import { logOf, originOf, regionOf } from './streams.ts'

const [lower, upper] = [numbers(0, 32), numbers(32, 64)]

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
  const giving = await started({ role: 'store', dataDir, diskReserve: 1e14 })
  await ringMovesOn()
  const config = { ...readConfig({}), region: region.name, dataDir: newFolder() }
  const reports: Report[] = []
  const opening = Origins.open(region, config, (report) => reports.push(report), new Meters(), 0)
  await expect(opening).rejects.toThrow('what failed says why')
  const error = expect.stringContaining('has no room on its disk to make it')
  expect(reports).toContainEqual({ event: 'failed', error })
  const again = { ...config, dataDir: newFolder() }
  await expect(Origins.open(region, again, () => {}, new Meters(), 0)).rejects.toThrow('what failed says why')
  const notGiven = { event: 'notGiven', reason: 'room', error: 'Error: There is no room for a copy' }
  expect(giving.reports.filter(({ event }) => event === 'notGiven')).toEqual([notGiven])
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
  const far = originElsewhere('far')
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
  const [far, blocked] = [originElsewhere('far'), originElsewhere('blocked')]
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
  expect(failed.filter((words) => words.includes('cannot give it: its disk or its database'))).toHaveLength(2)
}, 60_000)

test('while nobody has what is older than the stream a store does not begin, and says what to do', async () => {
  await savedBy(await started({ role: 'both' }), createSessionKeys())
  await stopAll()
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

test('a copy that a store was killed with, and does not need any more, is gone when it starts again', async () => {
  const dataDir = newFolder()
  await started({ role: 'both', dataDir })
  await stopAll()
  const [origin = ''] = readdirSync(dataDir)
  const left = ['copy.sqlite', 'copy.sqlite-wal']
  for (const name of left) writeFileSync(join(dataDir, origin, name), 'what may be deleted since')
  await started({ role: 'both', dataDir })
  expect(readdirSync(join(dataDir, origin)).filter((name) => left.includes(name))).toEqual([])
}, 60_000)

test('a store that is told to stop while it fills ends at once', async () => {
  await savedBy(await started({ role: 'both' }), createSessionKeys())
  await stopAll()
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
