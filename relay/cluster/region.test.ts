import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import {
  createSessionKeys,
  deleteStatement,
  keysFor,
  roleSeed,
  type SessionKeys,
  sign,
} from '../../shared/keys.ts'
import { BareClient } from '../connections/bare-client.testing.ts'
import { closeCodes } from '../connections/close-words.ts'
import type { Role } from '../settings/config.ts'
import { someEnvelope, startRelay, type TestRelay, temporaryFolder } from '../testing.ts'
import { type NatsServer, startNats } from './nats.testing.ts'
import { joinRegion } from './region.ts'

let nats: NatsServer
let regions = 0
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

let region: string
let dataDir: string
let owner: SessionKeys
let running: TestRelay[]
beforeEach(() => {
  running = []
  region = `region${++regions}`
  dataDir = temporaryFolder()
  owner = createSessionKeys()
})
afterEach(async () => {
  await Promise.all(running.map((relay) => relay.stop()))
  rmSync(dataDir, { recursive: true })
})

test('without room for anything new the owner can delete a session all the same', async () => {
  const kept = await started('both')
  const envelope = someEnvelope()
  const first = await BareClient.join(kept.url, owner)
  await first.save(envelope)
  await stop(kept)
  const full = await started('both', dataDir, 1e14)
  const alice = await BareClient.join(full.url, owner)
  expect(alice.envelopes()).toEqual([envelope])
  alice.append(someEnvelope())
  await expect.poll(() => full.reports).toContainEqual(expect.objectContaining({ code: 'DISK_RESERVE' }))
  alice.send({ type: 'delete', signature: sign(deleteStatement(owner.session), roleSeed(owner)) })
  expect(await alice.closed).toEqual(closeCodes.deleted)
}, 20_000)

test('what alice sends at one relay bob hears at another, and it is saved', async () => {
  const { east, west } = await twoRelays()
  const [alice, bob] = [await BareClient.join(east.url, owner), await joinAs('member', west)]
  const envelope = someEnvelope()
  const saved = await alice.save(envelope)
  expect(saved).toMatchObject({ type: 'saved' })
  const heard = await bob.next('entry')
  expect(heard.envelope).toEqual(envelope)
  expect(saved.type === 'saved' && saved.cursor).toEqual(heard.cursor)
})

test('carol, who comes later at any relay, gets everything, and with her place only what is new', async () => {
  const { east, west } = await twoRelays()
  const alice = await BareClient.join(east.url, owner)
  const sent = [someEnvelope(), someEnvelope(), someEnvelope()]
  for (const envelope of sent) await alice.save(envelope)
  const carol = await joinAs('member', west)
  expect(carol.envelopes()).toEqual(sent)
  const { cursor } = await caughtUp(carol)
  await carol.leave()
  const later = someEnvelope()
  await alice.save(later)
  const again = await BareClient.join(east.url, keysFor('member', owner), { cursor })
  expect(again.envelopes()).toEqual([later])
  expect(await caughtUp(again)).toMatchObject({ resumed: true, log: 'kept' })
})

test('people at different relays see each other come and go, signal to each other, and miss whoever a dead relay had', async () => {
  const { east, west } = await twoRelays()
  const alice = await BareClient.join(east.url, owner)
  const bob = await joinAs('member', west)
  const { connection } = await alice.next('joined')
  const signal = someEnvelope()
  alice.send({ type: 'signal', to: connection, envelope: signal })
  expect((await bob.next('signal')).envelope).toEqual(signal)
  await bob.leave()
  expect(await alice.next('left')).toMatchObject({ connection })
  const dave = await joinAs('member', west)
  const joined = await alice.next('joined')
  await stop(west)
  await dave.closed
  expect(await alice.next('left')).toMatchObject({ connection: joined.connection })
})

test('while no store runs the room goes on, and when one is back everything is in the log', async () => {
  const { east, west, store } = await twoRelays()
  const alice = await BareClient.join(east.url, owner)
  const bob = await joinAs('member', west)
  const before = someEnvelope()
  expect(await alice.save(before)).toMatchObject({ type: 'saved' })
  await stop(store)
  const during = someEnvelope()
  expect(await alice.save(during)).toMatchObject({ type: 'unsaved', reason: 'unreachable' })
  await bob.until((frames) => frames.filter(({ type }) => type === 'entry').length === 2)
  expect(bob.envelopes()).toEqual([before, during])
  await started('store')
  expect(await alice.closed).toEqual(closeCodes.resume)
  const carol = await joinAs('member', west)
  expect(carol.envelopes()).toEqual([before, during])
}, 60_000)

test('a process that is both relay and store is enough, whatever else is in its stream', async () => {
  const alone = await started('both')
  const { connection } = await joinRegion(nats.url, region)
  connection.publish(`log.${region}.0.${owner.session}`, 'no statement')
  connection.publish(`ask.${region}.0`, 'no question')
  connection.publish('used', 'no session')
  const alice = await BareClient.join(alone.url, owner)
  connection.publish(`room.${owner.session}.news`, 'no news')
  connection.publish(`room.${owner.session}.signal`, 'no')
  await connection.drain()
  const envelope = someEnvelope()
  expect(await alice.save(envelope)).toMatchObject({ type: 'saved' })
  const bob = await joinAs('member', alone)
  expect(await caughtUp(bob)).toMatchObject({ log: 'kept' })
  expect(bob.envelopes()).toEqual([envelope])
})

test('what a single relay kept, every store of a region has that goes on with its folder', async () => {
  const single = await startRelay({ dataDir })
  const before = someEnvelope()
  const alice = await BareClient.join(single.url, owner)
  expect(await alice.save(before)).toMatchObject({ type: 'saved' })
  await single.stop()
  const [relay, first] = [await started('relay'), await started('store')]
  const during = someEnvelope()
  expect(await (await joinAs('member', relay)).save(during)).toMatchObject({ type: 'saved' })
  const second = await started('store', join(dataDir, 'second'))
  expect(second.reports).toContainEqual({ event: 'copied', region: 'local' })
  await stop(first)
  const kept = (await joinAs('member', relay)).envelopes()
  expect(kept).toHaveLength(2)
  expect(kept).toEqual(expect.arrayContaining([before, during]))
}, 60_000)

test('a session that its owner deletes is gone from every store and from the stream', async () => {
  const { east, west } = await twoRelays()
  const [alice, bob] = [await BareClient.join(east.url, owner), await joinAs('member', west)]
  const secret = someEnvelope()
  await alice.save(secret)
  alice.send({ type: 'delete', signature: sign(deleteStatement(owner.session), roleSeed(owner)) })
  for (const person of [alice, bob]) expect(await person.closed).toEqual(closeCodes.deleted)
  await expect(joinAs('member', west)).rejects.toThrow('4')
  await expect.poll(() => nats.holds(secret), { timeout: 20_000 }).toBe(false)
})

test('two stores keep the same, each in a database of its own, and one is enough', async () => {
  const { east, west, store } = await twoRelays()
  const otherDir = temporaryFolder()
  onTestFinished(() => rmSync(otherDir, { recursive: true }))
  const other = await started('store', otherDir)
  const alice = await BareClient.join(east.url, owner)
  const sent = [someEnvelope(), someEnvelope()]
  for (const envelope of sent) expect(await alice.save(envelope)).toMatchObject({ type: 'saved' })
  await stop(store)
  const third = someEnvelope()
  expect(await alice.save(third)).toMatchObject({ type: 'saved' })
  expect((await joinAs('member', west)).envelopes()).toEqual([...sent, third])
  const again = await started('store')
  await stop(other)
  expect((await joinAs('observer', west)).envelopes()).toEqual([...sent, third])
  expect(again.reports).not.toContainEqual(expect.objectContaining({ event: 'failed' }))
}, 60_000)

test('who asks a store that is being stopped is answered', async () => {
  const { east, store } = await twoRelays()
  const otherDir = temporaryFolder()
  onTestFinished(() => rmSync(otherDir, { recursive: true }))
  await started('store', otherDir)
  const people = Array.from({ length: 60 }, () => new BareClient(east.url, createSessionKeys()))
  const first = people[0] as BareClient
  await first.next('caughtUp')
  await stop(store)
  const later = Array.from({ length: 60 }, () => new BareClient(east.url, createSessionKeys()))
  for (const person of [...people, ...later]) {
    await person.until((frames) => frames.some(({ type }) => type === 'caughtUp'))
    expect(await caughtUp(person)).toMatchObject({ log: 'kept' })
  }
})

test('a relay that stops serves on until balancers know, and then sends everybody to the others', async () => {
  await started('store')
  const limits = { handOverMs: 500 }
  const east = await startRelay({ natsUrl: nats.url, region, role: 'relay', limits })
  const [alice, bob] = [await BareClient.join(east.url, owner), await joinAs('member', east)]
  const stopped = east.stop()
  expect((await fetch(`${east.url}/readyz`)).status).toBe(404)
  const carol = await joinAs('member', east)
  const envelope = someEnvelope()
  expect(await alice.save(envelope)).toMatchObject({ type: 'saved' })
  expect((await bob.next('entry')).envelope).toEqual(envelope)
  for (const person of [alice, bob, carol]) {
    expect(await person.closed).toMatchObject({ code: 1012 })
    expect(person.frames.at(-1)).toEqual({ type: 'goingAway', retryAfter: 0 })
  }
  await stopped
})

test('a session that is only read at one store is used for the others, too', async () => {
  const { east, store } = await twoRelays()
  // Whoever joins asks for the head and the log, each of any store: one of three is asked for neither.
  const folders = [dataDir, temporaryFolder(), temporaryFolder()]
  const others = folders.slice(1)
  onTestFinished(() => {
    for (const folder of others) rmSync(folder, { recursive: true })
  })
  const stores = [store, ...(await Promise.all(others.map((folder) => started('store', folder))))]
  const alice = await BareClient.join(east.url, owner)
  expect(await alice.save(someEnvelope())).toMatchObject({ type: 'saved' })
  await alice.leave()
  for (const running of [east, ...stores]) await stop(running)
  for (const folder of folders) {
    const database = databaseIn(folder)
    database.exec("UPDATE facts SET value = 50 WHERE name = 'day'; UPDATE sessions SET day = 1")
    database.close()
  }
  await Promise.all(folders.map((folder) => started('store', folder)))
  const relay = await started('relay')
  expect((await BareClient.join(relay.url, owner)).envelopes()).toHaveLength(1)
  for (const folder of folders) {
    const database = databaseIn(folder)
    await expect
      .poll(() => database.prepare('SELECT day FROM sessions').pluck().get(), { timeout: 20_000 })
      .toBe(50)
    database.close()
  }
}, 60_000)

test('when NATS is killed and comes back, those at one relay go on meanwhile, and nothing that was saved is lost', async () => {
  const { east } = await twoRelays()
  const [alice, bob] = [await BareClient.join(east.url, owner), await joinAs('member', east)]
  const before = someEnvelope()
  expect(await alice.save(before)).toMatchObject({ type: 'saved' })
  await nats.end('SIGKILL')
  const during = someEnvelope()
  alice.append(during)
  await bob.until((frames) => frames.filter(({ type }) => type === 'entry').length === 2)
  expect(bob.envelopes()).toEqual([before, during])
  await nats.restart()
  await alice.closed
  const again = await BareClient.join(east.url, owner)
  expect(again.envelopes()).toContainEqual(before)
  expect(await again.save(during)).toMatchObject({ type: 'saved' })
}, 60_000)

test('what is acknowledged after NATS came back without the end of its stream can be read', async () => {
  const { east, store } = await twoRelays()
  const bob = keysFor('member', owner)
  const acknowledged: Uint8Array[] = []
  const save = async () => {
    const envelope = someEnvelope()
    const client = await BareClient.join(east.url, bob)
    const answer = await Promise.race([client.save(envelope), client.closed])
    await client.leave()
    if ('type' in answer && answer.type === 'saved') acknowledged.push(envelope)
  }
  await save()
  const copy = await nats.copy()
  while (acknowledged.length < 4) await save()
  await nats.goBack(copy)
  while (acknowledged.length < 6) await save()
  const carol = await joinAs('observer', east)
  expect(await caughtUp(carol)).toMatchObject({ log: 'kept' })
  for (const envelope of acknowledged) expect(carol.envelopes()).toContainEqual(envelope)
  expect(readdirSync(dataDir)).toHaveLength(2)
  expect(store.reports).toContainEqual(expect.objectContaining({ event: 'failed' }))
}, 60_000)

test('while NATS is gone newcomers and whoever comes back are at the table at once, without a log', async () => {
  const { east } = await twoRelays()
  const alice = await BareClient.join(east.url, owner)
  await nats.end('SIGKILL')
  for (let times = 0; times < 8; times++) {
    const began = performance.now()
    const bob = await joinAs('member', east)
    expect(performance.now() - began).toBeLessThan(2_000)
    expect(await caughtUp(bob)).toMatchObject({ log: 'unreachable' })
    const envelope = someEnvelope()
    bob.append(envelope)
    await alice.until(() => alice.envelopes().some((heard) => Buffer.compare(heard, envelope) === 0))
    await bob.leave()
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  await nats.restart()
}, 60_000)

test('a store is ready by the shards it keeps, whether or not anybody keeps the others', async () => {
  const shards = new Set([40, 41])
  const store = await startRelay({ natsUrl: nats.url, region, role: 'store', dataDir, shards })
  running.push(store)
  expect((await fetch(`${store.url}/readyz`)).status).toBe(200)
})

test('stores whose disk is full say so themselves, whatever the others of their shards say', async () => {
  const folders = Array.from({ length: 4 }, () => temporaryFolder())
  onTestFinished(() => {
    for (const folder of folders) rmSync(folder, { recursive: true })
  })
  const stores = await Promise.all(folders.map((folder, at) => started('store', folder, at < 2 ? 1e14 : 0)))
  const alice = await BareClient.join((await started('relay')).url, owner)
  await alice.save(someEnvelope())
  const isFull = ({ reports }: TestRelay) => reports.some((report) => 'code' in report)
  await expect.poll(() => stores.map(isFull), { timeout: 10_000 }).toEqual([true, true, false, false])
  const ready = await Promise.all(stores.map(async ({ url }) => (await fetch(`${url}/readyz`)).status))
  expect(ready).toEqual([503, 503, 200, 200])
}, 20_000)

test('a relay is ready without NATS, for those who come to its tables; a store is not', async () => {
  const { east, store } = await twoRelays()
  const ready = async () =>
    Promise.all([east, store].map(async ({ url }) => (await fetch(`${url}/readyz`)).status))
  expect(await ready()).toEqual([200, 200])
  await nats.end('SIGKILL')
  await expect.poll(ready, { timeout: 10_000 }).toEqual([200, 503])
  await nats.restart()
  await expect.poll(ready, { timeout: 20_000 }).toEqual([200, 200])
}, 60_000)

test('a line that NATS does not let through for a while is there again as soon as it does', async () => {
  const joined = await joinRegion(nats.url, region)
  onTestFinished(() => joined.leave())
  const file = join(nats.folder, 'nats.conf')
  const config = readFileSync(file, 'utf8')
  writeFileSync(file, `${config}\nauthorization { user: alice, password: wonderland }`)
  await nats.restart()
  let refusals = 0
  void (async () => {
    for await (const { type } of joined.connection.status()) if (type === 'reconnecting') refusals++
  })()
  await expect.poll(() => refusals, { timeout: 10_000 }).toBeGreaterThan(4)
  writeFileSync(file, config)
  await nats.restart()
  await expect.poll(() => joined.isConnected, { timeout: 10_000 }).toBe(true)
}, 30_000)

const greeting = 'INFO {"version":"2.9.10","proto":1,"headers":true,"max_payload":2000000}\r\nPONG\r\n'
test.each([
  ['takes connections and says nothing', ''],
  ['greets and answers nothing more', greeting],
])(
  'a NATS that %s keeps nobody waiting for long',
  async (_, words) => {
    const hanging = createServer((socket) => socket.on('error', () => {}).write(words))
    hanging.listen(0, '127.0.0.1')
    await once(hanging, 'listening')
    onTestFinished(() => void hanging.close())
    const { port } = hanging.address() as AddressInfo
    const begun = performance.now()
    await expect(joinRegion(`127.0.0.1:${port}`, region)).rejects.toThrow(/^NATS does not answer/)
    expect(performance.now() - begun).toBeLessThan(10_000)
  },
  30_000,
)

/** Of the region's stream. */
function databaseIn(folder: string): Sqlite.Database {
  const [origin = ''] = readdirSync(folder)
  return new Sqlite(join(folder, origin, 'facedown.sqlite'))
}

/** Behind both is one store, a process of its own in real life. */
async function twoRelays(): Promise<{ east: TestRelay; west: TestRelay; store: TestRelay }> {
  const store = await started('store')
  return { store, east: await started('relay'), west: await started('relay') }
}

async function started(role: Role, folder = dataDir, diskReserve = 0): Promise<TestRelay> {
  const relay = await startRelay({ natsUrl: nats.url, region, role, dataDir: folder, diskReserve })
  running.push(relay)
  return relay
}

async function stop(relay: TestRelay): Promise<void> {
  running = running.filter((other) => other !== relay)
  await relay.stop()
}

function joinAs(role: 'member' | 'observer', { url }: TestRelay): Promise<BareClient> {
  return BareClient.join(url, keysFor(role, owner))
}

async function caughtUp({ frames }: BareClient) {
  const frame = frames.find(({ type }) => type === 'caughtUp')
  if (frame?.type !== 'caughtUp') throw new Error('The log was not read')
  return frame
}
