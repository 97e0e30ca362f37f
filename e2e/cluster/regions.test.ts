import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { connect, headers } from '@nats-io/transport-node'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type NatsServer, startNats } from '../../relay/cluster/nats.testing.ts'
import { joinRegion } from '../../relay/cluster/region.ts'
import { encodeStatement } from '../../relay/cluster/statement.ts'
import { originsHere, provideStream, regionOf, streamOf } from '../../relay/cluster/streams.ts'
import { askerOf, BareClient } from '../../relay/connections/bare-client.testing.ts'
import { closeCodes } from '../../relay/connections/close-words.ts'
import { freePort } from '../../relay/free-port.testing.ts'
import type { Role } from '../../relay/settings/config.ts'
import { databaseName } from '../../relay/store/database.ts'
import {
  someDeposit,
  someEnvelope,
  startRelay,
  type TestRelay,
  type TestRelayOptions,
  temporaryFolder,
} from '../../relay/testing.ts'
import { covers } from '../../shared/cursor.ts'
import {
  createSessionKeys,
  deleteStatement,
  keysFor,
  roleSeed,
  type SessionKeys,
  sign,
} from '../../shared/keys.ts'
import { TcpProxy } from '../tcp-proxy.ts'

const names = ['east', 'west'] as const
type Name = (typeof names)[number]

let link: TcpProxy
let nats: Record<Name, NatsServer>
let owner: SessionKeys
let dataDirs: Record<string, string>
let running: TestRelay[]

beforeEach(async () => {
  owner = createSessionKeys()
  running = []
  dataDirs = {}
  const leafPort = await freePort()
  link = await TcpProxy.start(leafPort)
  const advertised = Number(new URL(link.url).port)
  const east = await startNats({ domain: 'east', leafs: { port: leafPort, advertised } })
  nats = { east, west: await startNats({ domain: 'west', linkedTo: advertised }) }
})

afterEach(async () => {
  await Promise.all(running.map((relay) => relay.stop()))
  await Promise.all(names.map((name) => nats[name].stop()))
  await link.stop()
  for (const folder of new Set(Object.values(dataDirs))) rmSync(folder, { recursive: true })
})

test('what alice sends in the east bob hears in the west, each region keeps all of it, and alice hears that', async () => {
  const { east, west } = await twoRegions()
  const [alice, bob] = [await joinAt(east, 'owner'), await joinAt(west)]
  const [first, second] = [someEnvelope(), someEnvelope()]
  const saved = await alice.save(first)
  if (saved.type !== 'saved') throw new Error('It was not saved')
  await alice.next('keepalive', ({ elsewhere }) => elsewhere.size > 0 && covers(elsewhere, saved.cursor))
  await heard(bob, first)
  expect(await bob.save(second)).toMatchObject({ type: 'saved' })
  await heard(alice, second)
  await keptIn(east, first, second)
  await keptIn(west, first, second)
})

test('while the link is cut both halves go on, and afterwards everybody hears everything without connecting again', async () => {
  const { east, west } = await twoRegions()
  const [alice, bob] = [await joinAt(east, 'owner'), await joinAt(west)]
  const { connection } = await alice.next('joined')
  const before = someEnvelope()
  expect(await alice.save(before)).toMatchObject({ type: 'saved' })
  await heard(bob, before)
  await keptIn(west, before)
  link.cut()
  const [fromAlice, fromBob] = [someEnvelope(), someEnvelope()]
  expect(await alice.save(fromAlice)).toMatchObject({ type: 'saved' })
  expect(await bob.save(fromBob)).toMatchObject({ type: 'saved' })
  await alice.next('left', (left) => left.connection === connection)
  expect(link.attempts).toBeGreaterThan(1)
  expect(alice.envelopes()).toEqual([])
  // Once more when somebody read the log before its mirror had it.
  expect(bob.envelopes().filter((envelope) => !Buffer.from(envelope).equals(before))).toEqual([])
  link.mend()
  await heard(alice, fromBob)
  await heard(bob, fromAlice)
  await alice.next('joined', (joined) => joined.connection === connection)
  await keptIn(east, before, fromAlice, fromBob)
  await keptIn(west, before, fromAlice, fromBob)
}, 60_000)

test('keys that were released behind a cut link come with everything that was said around them', async () => {
  const { east, west } = await twoRegions()
  const [alice, bob] = [await joinAt(east, 'owner'), await joinAt(west)]
  const before = someEnvelope()
  const deposit = someDeposit()
  expect(await alice.save(before)).toMatchObject({ type: 'saved' })
  await heard(bob, before)
  await keptIn(west, before)
  link.cut()
  const sent = [someEnvelope(), someEnvelope(), someEnvelope()] as const
  alice.send({ type: 'deposit', ref: 7, ...deposit })
  await alice.save(sent[0])
  await alice.save(sent[1])
  const asker = askerOf(keysFor('member', owner), deposit.round)
  alice.send({ type: 'release', ref: 8, round: deposit.round, asker })
  await alice.next('saved', ({ ref }) => ref === 8)
  await alice.save(sent[2])
  bob.send({ type: 'release', ref: 9, round: deposit.round, asker })
  await bob.next('saved', ({ ref }) => ref === 9)
  link.mend()
  await bob.until((frames) => frames.filter(({ type }) => type === 'released').length > 1)
  for (const envelope of sent) await heard(bob, envelope)
}, 60_000)

test('carol takes her place in the log along to the other region', async () => {
  const { east, west } = await twoRegions()
  const [alice, carol] = [await joinAt(east, 'owner'), await joinAt(east)]
  const sent = [someEnvelope(), someEnvelope()]
  for (const envelope of sent) await alice.save(envelope)
  await keptIn(west, ...sent)
  await carol.leave()
  const moved = await joinAt(east)
  const { cursor } = caughtUp(moved)
  const again = await BareClient.join(west.url, keysFor('member', owner), { cursor })
  expect(caughtUp(again)).toMatchObject({ resumed: true, log: 'kept' })
  expect(again.envelopes()).toEqual([])
})

test('carol misses nothing of what came over the link before she did, and to her region’s stores only later', async () => {
  const { east, west } = await twoRegions()
  const [alice, bob] = [await joinAt(east, 'owner'), await joinAt(west)]
  const [before, hurried] = [someEnvelope(), someEnvelope()]
  const first = await alice.save(before)
  await heard(bob, before)
  await keptIn(west, before)
  link.cut()
  const second = await alice.save(hurried)
  if (first.type !== 'saved' || second.type !== 'saved') throw new Error('It was not saved')
  const [origin = ''] = second.cursor.keys()
  const [previous, sequence] = [first, second].map(({ cursor }) => cursor.get(origin)?.sequence)
  // As if it had still come over, and the mirror had been a moment slower.
  const live = headers()
  live.set('Nats-Stream', `log-${origin}`)
  live.set('Nats-Sequence', String(sequence))
  live.set('Nats-Last-Sequence', String(previous))
  const message = { type: 'append', ref: 0, envelope: hurried } as const
  const connection = await connect({ servers: nats.west.url })
  connection.publish(`room.${owner.session}.log.east`, encodeStatement({ author: 1, message }), {
    headers: live,
  })
  await connection.drain()
  await heard(bob, hurried)
  const carol = await joinAt(west)
  expect(carol.envelopes()).toEqual([before])
  link.mend()
  await heard(carol, hurried)
}, 60_000)

test('who comes over with more than the other region has heard of starts anew, and so brings it', async () => {
  const { east, west } = await twoRegions()
  const alice = await joinAt(east, 'owner')
  const before = someEnvelope()
  await alice.save(before)
  await keptIn(west, before)
  link.cut()
  const saved = await alice.save(someEnvelope())
  if (saved.type !== 'saved') throw new Error('It was not saved')
  const moved = await BareClient.join(west.url, owner, { cursor: saved.cursor })
  expect(caughtUp(moved)).toMatchObject({ resumed: false, log: 'kept' })
  expect(moved.envelopes()).toEqual([before])
})

test('a session that is deleted in one region is gone from the other, and from both streams', async () => {
  const { east, west } = await twoRegions()
  const [alice, bob] = [await joinAt(east, 'owner'), await joinAt(west)]
  const secrets = [someEnvelope(), someEnvelope()]
  await alice.save(secrets[0] as Uint8Array)
  await bob.save(secrets[1] as Uint8Array)
  await keptIn(east, ...secrets)
  alice.send({ type: 'delete', signature: sign(deleteStatement(owner.session), roleSeed(owner)) })
  for (const person of [alice, bob]) expect(await person.closed).toEqual(closeCodes.deleted)
  for (const relay of [east, west]) await expect(joinAt(relay)).rejects.toThrow('4410')
})

test('a key that alice left in the east opens for a round that is revealed in the west', async () => {
  const { east, west } = await twoRegions()
  const [alice, bob] = [await joinAt(east, 'owner'), await joinAt(west)]
  const deposit = someDeposit()
  alice.send({ type: 'deposit', ref: 7, ...deposit })
  await alice.next('saved', ({ ref }) => ref === 7)
  await alice.leave()
  const asker = askerOf(keysFor('member', owner), deposit.round)
  bob.send({ type: 'release', ref: 8, round: deposit.round, asker })
  await bob.until((frames) =>
    frames.some(
      (frame) => frame.type === 'released' && Buffer.from(frame.body).includes(Buffer.from(deposit.key)),
    ),
  )
})

test('what a region saved before its NATS lost everything is read as before', async () => {
  const { east } = await twoRegions()
  const alice = await joinAt(east, 'owner')
  const before = someEnvelope()
  expect(await alice.save(before)).toMatchObject({ type: 'saved' })
  await nats.east.forget()
  await expect
    .poll(async () => (await joinAt(east).catch(() => undefined))?.envelopes(), { timeout: 30_000 })
    .toEqual([before])
  const after = someEnvelope()
  const saved = async () => (await (await joinAt(east, 'owner')).save(after)).type
  await expect.poll(saved, { timeout: 20_000 }).toBe('saved')
  await keptIn(east, before, after)
}, 60_000)

test('what the east’s stream has lost while the link was cut, the west’s store takes from the east’s, and bob hears it', async () => {
  await olderThanItsRing('east')
  const { east, west } = await twoRegions()
  const [alice, bob] = [await joinAt(east, 'owner'), await joinAt(west)]
  const sent = [someEnvelope()]
  await alice.save(sent[0] as Uint8Array)
  await keptIn(west, ...sent)
  link.cut()
  for (let times = 0; times < 3; times++) {
    const envelope = someEnvelope()
    expect(await alice.save(envelope)).toMatchObject({ type: 'saved' })
    sent.push(envelope)
  }
  await alice.leave()
  await ringMovesOn('east')
  link.mend()
  await saySomething(east)
  for (const envelope of sent) await heard(bob, envelope)
  await keptIn(west, ...sent)
  const reports = running.flatMap(({ reports }) => reports)
  expect(reports.filter(({ event }) => event === 'copied')).toEqual([{ event: 'copied', region: 'east' }])
}, 60_000)

test('what was deleted in the east while the link was cut is gone from the west, though the east’s stream has lost that, too', async () => {
  await olderThanItsRing('east')
  const { east, west } = await twoRegions()
  const [alice, bob] = [await joinAt(east, 'owner'), await joinAt(west)]
  const secrets = [someEnvelope(), someEnvelope()] as const
  await alice.save(secrets[0])
  await bob.save(secrets[1])
  await keptIn(west, ...secrets)
  link.cut()
  alice.send({ type: 'delete', signature: sign(deleteStatement(owner.session), roleSeed(owner)) })
  expect(await alice.closed).toEqual(closeCodes.deleted)
  await ringMovesOn('east')
  link.mend()
  await saySomething(east)
  expect(await bob.closed).toEqual(closeCodes.deleted)
  await expect(joinAt(west)).rejects.toThrow('4410')
  await expect.poll(() => entriesIn('west'), { timeout: 20_000 }).toBe(1)
}, 60_000)

test('whoever only listened in the west to what was deleted in the east is told, though the east’s stream has lost that', async () => {
  await olderThanItsRing('east')
  const { east, west } = await twoRegions()
  const [alice, bob] = [await joinAt(east, 'owner'), await joinAt(west)]
  const secret = someEnvelope()
  await alice.save(secret)
  await keptIn(west, secret)
  link.cut()
  alice.send({ type: 'delete', signature: sign(deleteStatement(owner.session), roleSeed(owner)) })
  expect(await alice.closed).toEqual(closeCodes.deleted)
  await ringMovesOn('east')
  link.mend()
  await saySomething(east)
  expect(await bob.closed).toEqual(closeCodes.deleted)
}, 60_000)

test('what the east saved before its NATS lost everything comes to the west, though its mirror had not read it', async () => {
  const { east, west } = await twoRegions()
  const [alice, bob] = [await joinAt(east, 'owner'), await joinAt(west)]
  const [before, hurried] = [someEnvelope(), someEnvelope()]
  await alice.save(before)
  await keptIn(west, before)
  link.cut()
  expect(await alice.save(hurried)).toMatchObject({ type: 'saved' })
  await alice.leave()
  await nats.east.forget()
  link.mend()
  await heard(bob, hurried)
  await keptIn(west, before, hurried)
}, 60_000)

test('what the east saved before its NATS lost everything a store of the west reads that could not keep it at first', async () => {
  const full = await started('west', 'store', { diskReserve: 1e14 })
  const { east, west } = await twoRegions()
  const stores = running.filter((relay) => ![full, east, west].includes(relay))
  const alice = await joinAt(east, 'owner')
  const [before, after] = [someEnvelope(), someEnvelope()]
  await alice.save(before)
  await keptIn(west, before)
  await nats.east.forget()
  const saved = async () => (await (await joinAt(east, 'owner')).save(after)).type
  await expect.poll(saved, { timeout: 20_000 }).toBe('saved')
  await keptIn(west, before, after)
  await stop(full, ...stores)
  await started('west', 'store', { dataDir: full.dataDir })
  await keptIn(west, before, after)
}, 60_000)

test('a mirror of a stream that is gone is removed when it has nothing any more', async () => {
  const { east, west } = await twoRegions()
  const alice = await joinAt(east, 'owner')
  const before = someEnvelope()
  await alice.save(before)
  await keptIn(west, before)
  const region = await joinRegion(nats.west.url, 'west')
  const mirrors = async () =>
    (await originsHere(region.manager)).filter((origin) => regionOf(origin) === 'east')
  const [lost = ''] = await mirrors()
  await nats.east.forget()
  await expect.poll(async () => (await mirrors()).length, { timeout: 20_000 }).toBe(2)
  await region.manager.streams.purge(streamOf(lost))
  await expect.poll(mirrors, { timeout: 20_000 }).not.toContain(lost)
  await region.leave()
  await keptIn(west, before)
}, 60_000)

async function twoRegions(): Promise<Record<Name, TestRelay>> {
  const stores = await Promise.all(names.map((name) => started(name, 'store')))
  expect(stores).toHaveLength(2)
  return { east: await started('east', 'relay'), west: await started('west', 'relay') }
}

async function started(region: Name, role: Role, more: TestRelayOptions = {}): Promise<TestRelay> {
  const dataDir = more.dataDir ?? temporaryFolder()
  dataDirs[`${region} ${role} ${running.length}`] = dataDir
  const regions = names.map((name) => ({ name, url: `http://${name}.example/` }))
  const relay = await startRelay({ natsUrl: nats[region].url, region, regions, role, ...more, dataDir })
  running.push(relay)
  return relay
}

async function stop(...relays: TestRelay[]): Promise<void> {
  running = running.filter((relay) => !relays.includes(relay))
  await Promise.all(relays.map((relay) => relay.stop()))
}

/** Makes the region's stream, in which nothing may be missing but what fell out of the ring. */
async function olderThanItsRing(name: Name): Promise<void> {
  const region = await joinRegion(nats[name].url, `before-${name}`)
  await provideStream(region.manager, name, Date.now() - 2 * 86_400_000)
  await region.leave()
}

/** As if more had been said than it holds. */
async function ringMovesOn(name: Name): Promise<void> {
  const region = await joinRegion(nats[name].url, name)
  const origins = await originsHere(region.manager)
  await region.manager.streams.purge(streamOf(origins.find((origin) => regionOf(origin) === name) ?? ''))
  await region.leave()
}

async function saySomething({ url }: TestRelay): Promise<void> {
  const anybody = await BareClient.join(url, createSessionKeys())
  expect(await anybody.save(someEnvelope())).toMatchObject({ type: 'saved' })
}

/** How many lie on the disks of the region's stores. */
function entriesIn(name: Name): number {
  const folders = Object.entries(dataDirs).flatMap(([of, folder]) =>
    of.startsWith(`${name} store`) ? folder : [],
  )
  const files = folders.flatMap((folder) =>
    readdirSync(folder).map((origin) => join(folder, origin, databaseName)),
  )
  let entries = 0
  for (const file of files) {
    const database = new Sqlite(file, { readonly: true })
    entries += Number(database.prepare('SELECT count(*) FROM entries').pluck().get())
    database.close()
  }
  return entries
}

function joinAt({ url }: TestRelay, role: 'owner' | 'member' = 'member'): Promise<BareClient> {
  return BareClient.join(url, role === 'owner' ? owner : keysFor(role, owner))
}

async function heard(person: BareClient, envelope: Uint8Array): Promise<void> {
  await person.until(() => person.envelopes().some((other) => Buffer.compare(other, envelope) === 0))
}

/** Whoever comes to this region from now on gets these, though perhaps in another order. */
async function keptIn(relay: TestRelay, ...envelopes: Uint8Array[]): Promise<void> {
  const sorted = (all: readonly Uint8Array[]) => all.map((bytes) => Buffer.from(bytes).toString('hex')).sort()
  await expect
    .poll(
      async () => {
        const newcomer = await joinAt(relay)
        await newcomer.leave()
        return sorted(newcomer.envelopes())
      },
      { timeout: 20_000 },
    )
    .toEqual(sorted(envelopes))
}

function caughtUp({ frames }: BareClient) {
  const frame = frames.find(({ type }) => type === 'caughtUp')
  if (frame?.type !== 'caughtUp') throw new Error('The log was not read')
  return frame
}
