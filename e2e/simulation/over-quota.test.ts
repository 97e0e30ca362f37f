import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { BareClient } from '../../relay/connections/bare-client.testing.ts'
import { started } from '../../relay/fixtures.testing.ts'
import { random } from '../../relay/testing.ts'
import { addRecord, recordsOf } from '../../shared/document.ts'
import { encrypt } from '../../shared/envelope.ts'
import type { RecordId } from '../../shared/id.ts'
import { createSessionKeys, keysFor, type SessionKeys } from '../../shared/keys.ts'
import { splitIntoParts } from '../../shared/parts.ts'
import { recordIdOf } from '../../shared/record.ts'
import { decodeFromRelay } from '../../shared/wire.ts'
import { Device, until } from './device.ts'

const limits = { framesOfConnection: { perSecond: 100_000, burst: 100_000 } }

/** Records of somebody whose app makes no snapshots, so many or until the relay takes no more. */
async function write(url: string, keys: SessionKeys, bytes: number, most: number): Promise<void> {
  const mallory = await BareClient.join(url, keys)
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  let isTaken = true
  for (let written = 0; isTaken && written < most; written++) {
    addRecord(doc, random(bytes))
    for (const part of updates.splice(0).flatMap(splitIntoParts)) {
      const answer = await mallory.save(encrypt(keys, 'change', part))
      isTaken = answer.type === 'saved'
    }
  }
  await mallory.leave()
}

/** The beginning of a change that its author never finished. */
async function breakOff(url: string, keys: SessionKeys): Promise<void> {
  const mallory = await BareClient.join(url, keys)
  const [first] = splitIntoParts(random(100_000))
  if (first) await mallory.save(encrypt(keys, 'change', first))
  await mallory.leave()
}

test('a session full of small changes makes room by itself, and nothing of it is lost', async () => {
  const relay = await started({ sessionMaxBytes: 256 * 1024, limits })
  const keys = keysFor('member', createSessionKeys())
  const arrive = () => {
    const device = new Device(relay.url, keys)
    onTestFinished(() => device.stop())
    device.connect()
    return device
  }
  const [alice, bob] = [arrive(), arrive()]
  await write(relay.url, keys, 150, 430)
  await breakOff(relay.url, keys)
  await write(relay.url, keys, 150, 1000)
  const votes: RecordId[] = []
  const vote = ({ doc }: Device) => {
    const record = random(150)
    addRecord(doc, record)
    votes.push(recordIdOf(record))
  }
  for (const device of [alice, bob]) vote(device)
  await until(
    () => alice.link.state.state === 'unkept',
    () => 'Nobody is told that the session is full',
  )
  expect(alice.link.waiting).toBe(1)
  const all = async (patience: number) =>
    until(
      () => [alice, bob].every(({ caughtUp, link }) => caughtUp && link.state.state === 'connected'),
      () => 'The session stays full',
      patience,
    )
  await all(40_000)
  // More than one snapshot makes room for.
  for (let round = 0; round < 8; round++) {
    for (let number = 0; number < 20; number++) vote(alice)
    vote(bob)
    await all(40_000)
  }
  const known = [...recordsOf(alice.doc).keys()]
  for (const device of [alice, bob]) device.stop()

  const carol = arrive()
  await until(
    () => known.every((id) => recordsOf(carol.doc).has(id)),
    () => 'A newcomer does not get everything that was called saved',
  )
  for (const id of votes) expect(known).toContain(id)
  expect(await relay.store.head(keys.session)).toMatchObject({ overQuota: undefined })
}, 180_000)

/** A change whose predecessor nobody ever gets. */
async function sendAfterGap(url: string, keys: SessionKeys): Promise<void> {
  const mallory = await BareClient.join(url, keys)
  const doc = new Y.Doc()
  addRecord(doc, random(150))
  const before = Y.encodeStateVector(doc)
  addRecord(doc, random(150))
  for (const part of splitIntoParts(Y.encodeStateAsUpdate(doc, before))) {
    expect(await mallory.save(encrypt(keys, 'change', part))).toMatchObject({ type: 'saved' })
  }
  await mallory.leave()
}

test('a change that builds on what nobody has keeps no session from making room', async () => {
  const relay = await started({ sessionMaxBytes: 256 * 1024, limits })
  const keys = keysFor('member', createSessionKeys())
  const alice = new Device(relay.url, keys)
  onTestFinished(() => alice.stop())
  alice.connect()
  await sendAfterGap(relay.url, keys)
  await write(relay.url, keys, 150, 1000)
  const vote = random(150)
  addRecord(alice.doc, vote)
  await until(
    () => alice.link.state.state === 'unkept',
    () => 'Nobody is told that the session is full',
  )
  await until(
    () => alice.caughtUp && alice.link.state.state === 'connected',
    () => 'The session stays full',
    60_000,
  )
  expect(alice.doc.store.pendingStructs).not.toBeNull() // which is kept, for whoever has what it builds on
  expect(await relay.store.head(keys.session)).toMatchObject({ overQuota: undefined })
}, 120_000)

test('where two snapshots are all that may be kept, a change of several parts is saved all the same', async () => {
  const relay = await started({ sessionMaxBytes: 96 * 1024, limits })
  const keys = keysFor('member', createSessionKeys())
  const alice = new Device(relay.url, keys)
  onTestFinished(() => alice.stop())
  alice.connect()
  const large = [60_000, 70_000, 100_000].map((bytes) => random(bytes))
  for (const [at, record] of large.entries()) {
    addRecord(alice.doc, record)
    await until(
      () => alice.caughtUp && alice.link.state.state === 'connected',
      () => `The record in place ${at} is not saved`,
      60_000,
    )
  }
  alice.stop()
  const bob = new Device(relay.url, keys)
  onTestFinished(() => bob.stop())
  bob.connect()
  await until(
    () => large.every((record) => recordsOf(bob.doc).has(recordIdOf(record))),
    () => 'A newcomer does not get everything that was called saved',
  )
}, 200_000)

test('a document too large for a snapshot is not read again for one', async () => {
  await import('../../client/link/second-reading.ts') // it would come at once
  const relay = await started({ limits })
  const keys = keysFor('member', createSessionKeys())
  await write(relay.url, keys, 60_000, 18)
  let connections = 0
  let asked = 0
  class Counted extends WebSocket {
    override emit(event: string | symbol, ...about: unknown[]): boolean {
      const [bytes] = about
      const frame = bytes instanceof ArrayBuffer ? decodeFromRelay(new Uint8Array(bytes)) : undefined
      if (frame?.type === 'challenge') connections++
      if (frame?.type === 'saved' && frame.compact) asked++
      return super.emit(event, ...about)
    }
  }
  const bob = new Device(relay.url, keys, undefined, Counted)
  onTestFinished(() => bob.stop())
  bob.connect()
  for (let number = 0; number < 5; number++) {
    await until(
      () => bob.caughtUp && recordsOf(bob.doc).size === 18 + number,
      () => 'Bob is not saved',
    )
    addRecord(bob.doc, random(150))
  }
  expect(asked).toBe(1)
  expect(connections).toBe(1)
}, 60_000)
