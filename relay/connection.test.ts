import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import type { Cursor } from '../shared/cursor.ts'
import { createSessionKeys, deleteStatement, keysFor, roleSeed, sign } from '../shared/keys.ts'
import type { FromRelay } from '../shared/wire.ts'
import { BareClient, type BareOptions, openingStatus } from './bare-client.testing.ts'
import { closeCodes } from './close-words.ts'
import { checksumOf } from './hash.ts'
import {
  someEnvelope,
  startRelay,
  type TestRelay,
  type TestRelayOptions,
  temporaryFolder,
} from './testing.ts'

let relay: TestRelay | undefined

afterEach(async () => {
  await relay?.stop()
  relay = undefined
})

async function started(options?: TestRelayOptions): Promise<TestRelay> {
  relay = await startRelay(options)
  return relay
}

const keys = createSessionKeys()
const member = keysFor('member', keys)
const observer = keysFor('observer', keys)

test('an observer reads and signals, but what they append is refused and never stored', async () => {
  const { url } = await started()
  const alice = await BareClient.join(url, keys)
  const oscar = await BareClient.join(url, observer)
  expect(await oscar.save(someEnvelope())).toMatchObject({ type: 'unsaved', reason: 'observer' })
  const signal = someEnvelope()
  oscar.send({ type: 'signal', to: 0, envelope: signal })
  expect((await alice.next('signal')).envelope).toEqual(signal)
  const envelope = someEnvelope()
  await alice.save(envelope)
  expect((await oscar.next('entry')).envelope).toEqual(envelope)
  const carol = await BareClient.join(url, member)
  expect(carol.envelopes()).toEqual([envelope])
})

test('a snapshot of an observer takes the place of nothing, as that of a member does', async () => {
  const { url } = await started()
  const alice = await BareClient.join(url, keys)
  const oscar = await BareClient.join(url, observer)
  const first = someEnvelope()
  const saved = await alice.save(first)
  if (saved.type !== 'saved') throw new Error('It was saved')
  const snapshot = { type: 'snapshot', covers: saved.cursor, replaces: undefined } as const
  oscar.send({ ...snapshot, envelope: someEnvelope() })
  oscar.send({ type: 'signal', to: 0, envelope: someEnvelope() })
  await alice.next('signal') // what he sent before has been seen to
  const second = someEnvelope()
  await alice.save(second)
  const carol = await BareClient.join(url, member)
  expect(carol.frames.filter(({ type }) => type === 'snapshot')).toEqual([])
  expect(carol.envelopes()).toEqual([first, second])
  const envelope = someEnvelope()
  alice.send({ ...snapshot, envelope })
  await alice.save(someEnvelope())
  const dave = await BareClient.join(url, member)
  expect(dave.frames).toContainEqual(expect.objectContaining({ type: 'snapshot', envelope }))
})

const forgeries: [string, BareOptions][] = [
  [
    'a signature with one bit changed',
    { hello: (hello) => ({ ...hello, signature: flip(hello.signature) }) },
  ],
  ['a signature for another role', { hello: (hello) => ({ ...hello, role: 'observer' }) }],
  [
    'keys that do not hash to the session',
    { hello: (hello) => ({ ...hello, publicKeys: flip(hello.publicKeys) }) },
  ],
  [
    'keys of a session of their own',
    { hello: (hello) => ({ ...hello, publicKeys: createSessionKeys().publicKeys }) },
  ],
  [
    'a key that is no point on the curve',
    { hello: (hello) => ({ ...hello, publicKeys: new Uint8Array(96) }) },
  ],
]

test.each(forgeries)('%s is forbidden', async (_, options) => {
  const { url } = await started()
  expect(await new BareClient(url, keys, options).closed).toEqual(closed('forbidden'))
})

test('the answer to another challenge, or for another page, is forbidden', async () => {
  const { url } = await started({ origins: ['http://one.example', 'http://two.example'] })
  const [one, two] = ['http://one.example', 'http://two.example']
  const hellos: Parameters<NonNullable<BareOptions['hello']>>[0][] = []
  await BareClient.join(url, keys, {
    origin: one,
    hello: (hello) => {
      hellos.push(hello)
      return hello
    },
  })
  const again = new BareClient(url, keys, { origin: one, hello: () => hellos[0] })
  expect(await again.closed).toEqual(closed('forbidden'))
  const elsewhere = new BareClient(url, keys, { origin: two, signedFor: one })
  expect(await elsewhere.closed).toEqual(closed('forbidden'))
  await BareClient.join(url, keys, { origin: two })
})

test('another version of the app is told to reload', async () => {
  const { url } = await started()
  const alice = new BareClient(url, keys, { hello: (hello) => ({ ...hello, version: 2 }) })
  expect(await alice.closed).toEqual(closed('version'))
})

test.each([
  ['evil.example', 'http://evil.example'],
  ['null', 'null'],
  ['missing', null],
  ['a suffix', 'http://poker.example.evil.example'],
  ['a prefix', 'http://poker.exampl'],
  ['another scheme', 'https://poker.example'],
  ['another port', 'http://poker.example:81'],
])('a page of another origin is not served: %s', async (_, origin) => {
  const { url } = await started({ origins: ['http://poker.example'] })
  const mallory = new BareClient(url, keys, { origin })
  expect(await mallory.closed).toEqual(closed('origin'))
  expect(mallory.frames.map(({ type }) => type)).toEqual(['refuse'])
})

test('without ORIGINS a page is served from the host it came from and from nowhere else', async () => {
  const { url } = await started()
  await BareClient.join(url, keys)
  for (const origin of [`${url}0`, 'null', null, 'http://localhost.evil.example']) {
    expect(await new BareClient(url, keys, { origin }).closed).toEqual(closed('origin'))
  }
})

test('who says nothing is told so and closed', async () => {
  const { url } = await started({ limits: { helloMs: 200 } })
  expect(await new BareClient(url, keys, { hello: () => undefined }).closed).toEqual(closed('lateHello'))
})

test('before the hello no large frame is taken', async () => {
  const { url } = await started()
  const mallory = new BareClient(url, keys, { hello: () => undefined })
  await mallory.next('challenge')
  mallory.socket.send(new Uint8Array(5000))
  expect(await mallory.closed).toEqual(closed('tooLarge'))
})

test.each([
  ['no client frame', Uint8Array.of(64)],
  ['an unknown kind', Uint8Array.of(99)],
  ['half a frame', Uint8Array.of(3)],
  ['nothing', new Uint8Array()],
  ['an envelope that is none', Uint8Array.of(2, 1, 5, 5)],
])('%s is malformed', async (_, message) => {
  const { url } = await started()
  const mallory = await BareClient.join(url, keys)
  mallory.socket.send(message)
  expect(await mallory.closed).toEqual(closed('malformed'))
})

test('the owner deletes a session: everybody is told, and it stays deleted', async () => {
  const { url } = await started()
  const owner = await BareClient.join(url, keys)
  const alice = await BareClient.join(url, member)
  await alice.save(someEnvelope())
  const signature = sign(deleteStatement(keys.session), roleSeed(keys))
  owner.send({ type: 'delete', signature })
  expect(await alice.closed).toEqual(closed('deleted'))
  expect(await owner.closed).toEqual(closed('deleted'))
  expect(await new BareClient(url, member).closed).toEqual(closed('deleted'))
  expect(await new BareClient(url, keys).closed).toEqual(closed('deleted'))
})

test('a deleted session stays deleted when the relay starts again', async () => {
  const dataDir = temporaryFolder()
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  const first = await startRelay({ dataDir })
  const owner = await BareClient.join(first.url, keys)
  await owner.save(someEnvelope())
  owner.send({ type: 'delete', signature: sign(deleteStatement(keys.session), roleSeed(keys)) })
  await owner.closed
  await first.stop()
  const { url } = await started({ dataDir })
  expect(await new BareClient(url, member).closed).toEqual(closed('deleted'))
  expect(await (await BareClient.join(url, createSessionKeys())).save(someEnvelope())).toMatchObject({
    type: 'saved',
  })
})

test('the owner may delete from several devices at once, and as often as they like', async () => {
  const { url } = await started()
  const devices = await Promise.all([1, 2].map(() => BareClient.join(url, keys)))
  const signature = sign(deleteStatement(keys.session), roleSeed(keys))
  for (const device of devices)
    for (let asked = 0; asked < 3; asked++) device.send({ type: 'delete', signature })
  for (const device of devices) expect(await device.closed).toEqual(closed('deleted'))
})

test('a change sent right after the deletion is not kept', async () => {
  const { url, store } = await started()
  const owner = await BareClient.join(url, keys)
  const alice = await BareClient.join(url, member)
  owner.send({ type: 'delete', signature: sign(deleteStatement(keys.session), roleSeed(keys)) })
  owner.append(someEnvelope())
  alice.append(someEnvelope())
  expect(await alice.closed).toEqual(closed('deleted'))
  expect(await owner.closed).toEqual(closed('deleted'))
  expect(await store.since(keys.session, new Map(), 0)).toEqual({ outcome: 'deleted' })
})

test('a signature for another session deletes nothing', async () => {
  const { url } = await started()
  const owner = await BareClient.join(url, keys)
  await owner.save(someEnvelope())
  owner.send({
    type: 'delete',
    signature: sign(deleteStatement(createSessionKeys().session), roleSeed(keys)),
  })
  expect(await owner.closed).toEqual(closed('forbidden'))
  expect((await BareClient.join(url, keys)).envelopes()).toHaveLength(1)
})

test('a deletion before the hello is malformed', async () => {
  const { url } = await started()
  const mallory = new BareClient(url, keys, { hello: () => undefined })
  await mallory.next('challenge')
  mallory.send({ type: 'delete', signature: sign(deleteStatement(keys.session), roleSeed(keys)) })
  expect(await mallory.closed).toEqual(closed('malformed'))
})

test('an owner whose deletion cannot be committed is told so, and stays connected', async () => {
  const { url, dataDir } = await started()
  const owner = await BareClient.join(url, keys)
  await owner.save(someEnvelope())
  const release = lock(dataDir)
  owner.send({ type: 'delete', signature: sign(deleteStatement(keys.session), roleSeed(keys)) })
  expect(await owner.next('unsaved')).toMatchObject({ ref: 0, reason: 'unreachable' })
  release()
  owner.send({ type: 'delete', signature: sign(deleteStatement(keys.session), roleSeed(keys)) })
  expect(await owner.closed).toEqual(closed('deleted'))
})

test('nobody but the owner deletes a session', async () => {
  const { url } = await started()
  const alice = await BareClient.join(url, member)
  await alice.save(someEnvelope())
  alice.send({ type: 'delete', signature: sign(deleteStatement(keys.session), roleSeed(keys)) })
  expect(await alice.closed).toEqual(closed('forbidden'))
  const owner = await BareClient.join(url, keys)
  owner.send({ type: 'delete', signature: sign(deleteStatement(keys.session), roleSeed(member)) })
  expect(await owner.closed).toEqual(closed('forbidden'))
  expect((await BareClient.join(url, member)).envelopes()).toHaveLength(1)
})

test('a deleted session leaves no byte of an envelope in the database', async () => {
  const { url, dataDir } = await started()
  const owner = await BareClient.join(url, keys)
  const envelope = someEnvelope()
  await owner.save(envelope)
  const files = () => readdirSync(dataDir).map((file) => readFileSync(join(dataDir, file)))
  const found = () => files().some((bytes) => bytes.includes(Buffer.from(envelope.subarray(30, 60))))
  expect(found()).toBe(true)
  owner.send({ type: 'delete', signature: sign(deleteStatement(keys.session), roleSeed(keys)) })
  await owner.closed
  expect(found()).toBe(false)
})

test('a second hello is malformed', async () => {
  const { url } = await started()
  const mallory = await BareClient.join(url, keys)
  mallory.send({
    type: 'hello',
    version: 1,
    role: 'owner',
    publicKeys: new Uint8Array(96),
    signature: new Uint8Array(64),
    generation: 0,
    cursor: new Map(),
  })
  expect(await mallory.closed).toEqual(closed('malformed'))
})

test.each([
  ['append', 65_537],
  ['append', (1 << 20) + 5000],
  ['signal', 65_537],
  ['snapshot', (1 << 20) + 1],
] as const)('the envelope of a frame %s is too large with %i bytes', async (type, length) => {
  const { url } = await started()
  const mallory = await BareClient.join(url, keys)
  const envelope = someEnvelope(length)
  mallory.send({ type, ref: 1, to: 0, covers: new Map(), replaces: undefined, envelope })
  expect(await mallory.closed).toEqual(closed('tooLarge'))
})

test('who sends too fast is asked for a pause, and nobody else notices', async () => {
  const { url } = await started({ limits: { framesOfConnection: { perSecond: 1, burst: 20 } } })
  const mallory = await BareClient.join(url, keys)
  const bob = await BareClient.join(url, createSessionKeys())
  for (let sent = 0; sent < 30; sent++) mallory.send({ type: 'signal', to: 0, envelope: someEnvelope() })
  expect(await mallory.closed).toEqual(closed('tooFast'))
  expect(await bob.save(someEnvelope())).toMatchObject({ type: 'saved' })
})

test('a session as a whole may not send too fast', async () => {
  const { url } = await started({ limits: { framesOfSession: { perSecond: 1, burst: 20 } } })
  const clients = await Promise.all(Array.from({ length: 3 }, () => BareClient.join(url, keys)))
  for (let sent = 0; sent < 10; sent++) {
    for (const client of clients) client.send({ type: 'signal', to: 0, envelope: someEnvelope() })
  }
  expect(await Promise.race(clients.map(({ closed }) => closed))).toEqual(closed('tooFast'))
})

test('an address may not open connections too fast', async () => {
  const { url } = await started({ limits: { connectionsOfAddress: { perSecond: 0.001, burst: 2 } } })
  await BareClient.join(url, keys)
  await BareClient.join(url, keys)
  expect(await openingStatus(url, `/sync/${keys.session}`)).toBe(429)
})

test('an address may not have too many connections at once', async () => {
  const { url } = await started({ limits: { openOfAddress: 1 } })
  const alice = await BareClient.join(url, keys)
  expect(await openingStatus(url, `/sync/${keys.session}`)).toBe(429)
  const bob = await BareClient.join(url, keys).catch(() => undefined)
  expect(bob).toBeUndefined()
  await alice.leave()
  await BareClient.join(url, keys)
})

test('a relay with all the connections it can serve says so', async () => {
  const { url } = await started({ limits: { open: 1 } })
  await BareClient.join(url, keys)
  expect(await new BareClient(url, keys).closed).toEqual(closed('full'))
})

test('who does not read is closed without holding up others, and resumes by cursor', async () => {
  const { url } = await started()
  const alice = await BareClient.join(url, keys)
  const bob = await BareClient.join(url, member)
  const carol = await BareClient.join(url, member)
  await alice.save(someEnvelope())
  const { cursor } = await bob.next('entry')
  bob.socket.pause()
  let saved = 0
  let isBobThere = true
  void alice.next('left').then(() => {
    isBobThere = false
  })
  while (isBobThere && saved < 300) {
    expect(await alice.save(someEnvelope(65_536))).toMatchObject({ type: 'saved' })
    saved += 1
  }
  expect(isBobThere).toBe(false)
  await carol.until((frames) => frames.filter(({ type }) => type === 'entry').length === saved + 1)
  bob.socket.resume()
  expect((await bob.closed).code).toBe(closeCodes.tooSlow.code)
  const back = await BareClient.join(url, member, { cursor })
  expect(back.envelopes()).toHaveLength(saved)
  expect(back.frames.at(-1)).toMatchObject({ type: 'caughtUp', resumed: true })
})

test('who joins while others append gets every entry once', async () => {
  const { url } = await started()
  const writers = await Promise.all([1, 2, 3].map(() => BareClient.join(url, keys)))
  const sent: Uint8Array[] = []
  const joining: Promise<BareClient>[] = []
  for (let round = 0; round < 40; round++) {
    for (const writer of writers) {
      const envelope = someEnvelope()
      sent.push(envelope)
      writer.append(envelope)
    }
    if (round % 2 === 0) joining.push(BareClient.join(url, observer))
    if (round % 5 === 0) await writers[0]?.save(someEnvelope()).then(() => writers[0]?.frames)
  }
  const readers = await Promise.all(joining)
  const marker = someEnvelope()
  const [writer] = writers
  await writer?.save(marker)
  await Promise.all(
    writers.map((each) => each.until((frames) => frames.filter(({ type }) => type === 'saved').length >= 40)),
  )
  const last = await BareClient.join(url, observer)
  const log = last.envelopes().map(hex)
  for (const reader of readers) {
    await reader.until(() => reader.envelopes().length >= log.length)
    const got = reader.envelopes().map(hex)
    expect(new Set(got).size).toBe(got.length)
    expect([...got].sort()).toEqual([...log].sort())
    expect(isInOrder(reader)).toBe(true)
  }
  expect(sent.map(hex).every((one) => log.includes(one))).toBe(true)
})

test('of two clients asked to compact, the first snapshot stays and the log is short again', async () => {
  const { url } = await started()
  const alice = await BareClient.join(url, keys)
  const bob = await BareClient.join(url, member)
  let asked = 0
  let cursor: Cursor = new Map()
  for (let sent = 0; sent < 12; sent++) {
    const saved = await (sent % 2 ? alice : bob).save(someEnvelope(16_384))
    if (saved.type !== 'saved') throw new Error('It was saved')
    cursor = saved.cursor
    if (saved.compact) asked += 1
  }
  expect(asked).toBe(1)
  const first = someEnvelope(4096)
  alice.send({ type: 'snapshot', covers: cursor, replaces: undefined, envelope: first })
  // Once something after it is saved, the first snapshot has been seen to.
  await alice.save(someEnvelope())
  bob.send({ type: 'snapshot', covers: cursor, replaces: undefined, envelope: someEnvelope(4096) })
  expect(await bob.save(someEnvelope())).toMatchObject({ compact: undefined })
  const carol = await BareClient.join(url, member)
  const snapshot = carol.frames.find(({ type }) => type === 'snapshot')
  expect(snapshot?.type === 'snapshot' && hex(snapshot.envelope)).toBe(hex(first))
  expect(carol.envelopes()).toHaveLength(2)
  const older = await BareClient.join(url, member, { generation: 1 })
  expect(older.envelopes()).toHaveLength(14)
})

test('while the disk is full the session goes on, and afterwards everybody resumes', async () => {
  const { url, store } = await started()
  const alice = await BareClient.join(url, keys)
  const bob = await BareClient.join(url, member)
  await alice.save(someEnvelope())
  await store.limit(100_000)
  let answer = await alice.save(someEnvelope(65_536))
  while (answer.type === 'saved') answer = await alice.save(someEnvelope(65_536))
  expect(answer.reason).toBe('full')
  expect(await bob.next('unsaved')).toMatchObject({ ref: 0, reason: 'unreachable' }) // who saves nothing hears it, too
  const unkept = someEnvelope()
  expect(await alice.save(unkept)).toMatchObject({ type: 'unsaved', reason: 'full' })
  expect((await bob.next('entry', ({ cursor }) => cursor.size === 0)).envelope).toEqual(unkept)
  const carol = await BareClient.join(url, member)
  expect(carol.frames.at(-1)).toMatchObject({ type: 'caughtUp', log: 'unreachable' })
  await store.limit(undefined)
  expect(await alice.closed).toEqual(closed('resume'))
  expect(await bob.closed).toEqual(closed('resume'))
  expect(await carol.closed).toEqual(closed('resume'))
  const back = await BareClient.join(url, keys)
  expect(back.frames.at(-1)).toMatchObject({ type: 'caughtUp', log: 'kept' })
  expect(await back.save(unkept)).toMatchObject({ type: 'saved' })
})

test('a slow disk delays only that something is saved', async () => {
  const { url, dataDir } = await started()
  const alice = await BareClient.join(url, keys)
  const bob = await BareClient.join(url, member)
  await alice.save(someEnvelope())
  await bob.next('entry')
  const release = lock(dataDir)
  const envelope = someEnvelope()
  const ref = alice.append(envelope)
  expect((await bob.next('entry')).envelope).toEqual(envelope)
  bob.send({ type: 'signal', to: 0, envelope: someEnvelope() })
  await alice.next('signal') // comes after whatever alice was told before
  expect(alice.frames.some((frame) => frame.type === 'saved' && frame.ref === ref)).toBe(false)
  release()
  await alice.next('saved', (saved) => saved.ref === ref)
})

test('while another program holds the database changes are refused, and afterwards everybody resumes', async () => {
  const { url, dataDir } = await started()
  const alice = await BareClient.join(url, keys)
  const release = lock(dataDir)
  expect(await alice.save(someEnvelope())).toMatchObject({ type: 'unsaved', reason: 'unreachable' })
  release()
  expect(await alice.closed).toEqual(closed('resume'))
  const back = await BareClient.join(url, keys)
  expect(await back.save(someEnvelope())).toMatchObject({ type: 'saved' })
})

test('when the store breaks down it is started again, and everybody resumes', async () => {
  const { url, store, reports } = await started()
  const alice = await BareClient.join(url, keys)
  expect(await alice.save(someEnvelope())).toMatchObject({ type: 'saved' })
  const nonsense = new Map([[store.origin, { sequence: {} as number, mark: new Uint8Array(8) }]])
  expect(await store.since(keys.session, nonsense, 0)).toEqual({ outcome: 'refused', reason: 'unreachable' })
  expect(await alice.save(someEnvelope())).toMatchObject({ type: 'unsaved', reason: 'unreachable' })
  expect(await alice.closed).toEqual(closed('resume'))
  const back = await BareClient.join(url, keys)
  expect(back.envelopes()).toHaveLength(1)
  expect(await back.save(someEnvelope())).toMatchObject({ type: 'saved' })
  expect(reports.map(({ event }) => event)).toContain('storeRestarting')
})

test('a session over its quota is refused alone', async () => {
  const { url } = await started({ sessionMaxBytes: 1 << 20 })
  const alice = await BareClient.join(url, keys)
  const bob = await BareClient.join(url, createSessionKeys())
  let answer = await alice.save(someEnvelope(65_536))
  while (answer.type === 'saved') answer = await alice.save(someEnvelope(65_536))
  expect(answer.reason).toBe('quota')
  expect(await bob.save(someEnvelope())).toMatchObject({ type: 'saved' })
})

test('a session over its quota asks for a snapshot, and with it takes changes again', async () => {
  const { url } = await started({ sessionMaxBytes: 1 << 20 })
  const alice = await BareClient.join(url, keys)
  while ((await alice.save(someEnvelope(65_536))).type === 'saved');
  const asks = (frame: FromRelay) => frame.type === 'saved' && frame.ref === 0
  const refused = async () => {
    expect(await alice.save(someEnvelope())).toMatchObject({ type: 'unsaved', reason: 'quota' })
    return alice.frames.some(asks)
  }
  await expect.poll(refused, { timeout: 10_000, interval: 250 }).toBe(true)
  const asked = await alice.next('saved', asks)
  expect(asked.compact).toEqual({ replaces: undefined })
  const reader = await BareClient.join(url, keys)
  expect(reader.frames.at(-1)).toMatchObject({ type: 'caughtUp', cursor: asked.cursor })
  const envelope = someEnvelope()
  alice.send({ type: 'snapshot', covers: asked.cursor, replaces: undefined, envelope })
  expect(await alice.closed).toEqual(closed('resume'))

  const back = await BareClient.join(url, keys, { cursor: asked.cursor })
  expect(await back.save(someEnvelope(65_536))).toMatchObject({
    type: 'saved',
    compact: { replaces: new Uint8Array(checksumOf(envelope)) },
  })
})

/** Holds the database as a backup program might. Returns the release. */
function lock(dataDir: string): () => void {
  const database = new Sqlite(join(dataDir, 'facedown.sqlite'))
  database.exec('BEGIN IMMEDIATE')
  return () => database.close()
}

function closed(reason: keyof typeof closeCodes) {
  return closeCodes[reason]
}

function flip(bytes: Uint8Array): Uint8Array {
  const flipped = bytes.slice()
  flipped[10] = (flipped[10] ?? 0) ^ 1
  return flipped
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function isInOrder(client: BareClient): boolean {
  const sequences = client.frames.flatMap((frame) =>
    frame.type === 'entry' ? [...frame.cursor.values()].map(({ sequence }) => sequence) : [],
  )
  return sequences.every((sequence, at) => at === 0 || sequence > (sequences[at - 1] ?? 0))
}
