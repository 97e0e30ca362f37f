import { expect, test, vi } from 'vitest'
import type { Cursor } from '../../shared/cursor.ts'
import { createSessionKeys, keysFor } from '../../shared/keys.ts'
import { encodeFromClient, type FromRelay } from '../../shared/wire.ts'
import { lock, started } from '../fixtures.testing.ts'
import { checksumOf } from '../store/hash.ts'
import type { PutSnapshot } from '../store/store.ts'
import { hex, someEnvelope } from '../testing.ts'
import { BareClient } from './bare-client.testing.ts'
import { closeCodes } from './close-words.ts'

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

test.each([
  ['no client frame', Uint8Array.of(64)],
  ['an unknown kind', Uint8Array.of(99)],
  ['half a frame', Uint8Array.of(3)],
  ['nothing', new Uint8Array()],
  ['an envelope that is none', Uint8Array.of(2, 1, 5, 5)],
  [
    'a change that was padded too little',
    encodeFromClient({ type: 'append', ref: 1, envelope: someEnvelope(255) }),
  ],
  [
    'a signal that was padded too little',
    encodeFromClient({ type: 'signal', to: 0, envelope: someEnvelope(255) }),
  ],
])('%s is malformed', async (_, message) => {
  const { url } = await started()
  const mallory = await BareClient.join(url, keys)
  mallory.socket.send(message)
  expect(await mallory.closed).toEqual(closeCodes.malformed)
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

test('a session has one snapshot at a time waiting for the store', async () => {
  const { url, store } = await started()
  const alice = await BareClient.join(url, keys)
  let answer: (put: PutSnapshot) => void = () => {}
  const answered = new Promise<PutSnapshot>((resolve) => {
    answer = resolve
  })
  const put = vi.spyOn(store, 'putSnapshot').mockReturnValue(answered)
  const sendOne = () =>
    alice.send({ type: 'snapshot', covers: new Map(), replaces: undefined, envelope: someEnvelope() })
  for (let sent = 0; sent < 5; sent++) sendOne()
  await alice.save(someEnvelope())
  expect(put).toHaveBeenCalledTimes(1)
  answer({ outcome: 'outdated' })
  await alice.save(someEnvelope())
  sendOne()
  await alice.save(someEnvelope())
  expect(put).toHaveBeenCalledTimes(2)
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
  expect(await alice.closed).toEqual(closeCodes.resume)
  expect(await bob.closed).toEqual(closeCodes.resume)
  expect(await carol.closed).toEqual(closeCodes.resume)
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
  expect(await alice.closed).toEqual(closeCodes.resume)
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
  expect(await alice.closed).toEqual(closeCodes.resume)
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
  expect(await alice.closed).toEqual(closeCodes.resume)

  const back = await BareClient.join(url, keys, { cursor: asked.cursor })
  expect(await back.save(someEnvelope(65_536))).toMatchObject({
    type: 'saved',
    compact: { replaces: new Uint8Array(checksumOf(envelope)) },
  })
})

function isInOrder(client: BareClient): boolean {
  const sequences = client.frames.flatMap((frame) =>
    frame.type === 'entry' ? [...frame.cursor.values()].map(({ sequence }) => sequence) : [],
  )
  return sequences.every((sequence, at) => at === 0 || sequence > (sequences[at - 1] ?? 0))
}
