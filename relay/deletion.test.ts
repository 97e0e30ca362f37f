import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSessionKeys, deleteStatement, keysFor, roleSeed, sign } from '../shared/keys.ts'
import { BareClient } from './connections/bare-client.testing.ts'
import { closeCodes } from './connections/close-words.ts'
import { lock, newFolder, started } from './fixtures.testing.ts'
import { someEnvelope, startRelay } from './testing.ts'

const keys = createSessionKeys()
const member = keysFor('member', keys)
const deletion = { type: 'delete', signature: sign(deleteStatement(keys.session), roleSeed(keys)) } as const

test('the owner deletes a session: everybody is told, and it stays deleted', async () => {
  const { url } = await started()
  const owner = await BareClient.join(url, keys)
  const alice = await BareClient.join(url, member)
  await alice.save(someEnvelope())
  owner.send(deletion)
  expect(await alice.closed).toEqual(closeCodes.deleted)
  expect(await owner.closed).toEqual(closeCodes.deleted)
  expect(await new BareClient(url, member).closed).toEqual(closeCodes.deleted)
  expect(await new BareClient(url, keys).closed).toEqual(closeCodes.deleted)
})

test('a deleted session stays deleted when the relay starts again', async () => {
  const dataDir = newFolder()
  const first = await startRelay({ dataDir })
  const owner = await BareClient.join(first.url, keys)
  await owner.save(someEnvelope())
  owner.send(deletion)
  await owner.closed
  await first.stop()
  const { url } = await started({ dataDir })
  expect(await new BareClient(url, member).closed).toEqual(closeCodes.deleted)
  expect(await (await BareClient.join(url, createSessionKeys())).save(someEnvelope())).toMatchObject({
    type: 'saved',
  })
})

test('the owner may delete from several devices at once, and as often as they like', async () => {
  const { url } = await started()
  const devices = await Promise.all([1, 2].map(() => BareClient.join(url, keys)))
  for (const device of devices) for (let asked = 0; asked < 3; asked++) device.send(deletion)
  for (const device of devices) expect(await device.closed).toEqual(closeCodes.deleted)
})

test('a change sent right after the deletion is not kept', async () => {
  const { url, store } = await started()
  const owner = await BareClient.join(url, keys)
  const alice = await BareClient.join(url, member)
  owner.send(deletion)
  owner.append(someEnvelope())
  alice.append(someEnvelope())
  expect(await alice.closed).toEqual(closeCodes.deleted)
  expect(await owner.closed).toEqual(closeCodes.deleted)
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
  expect(await owner.closed).toEqual(closeCodes.forbidden)
  expect((await BareClient.join(url, keys)).envelopes()).toHaveLength(1)
})

test('a deletion before the hello is malformed', async () => {
  const { url } = await started()
  const mallory = new BareClient(url, keys, { hello: () => undefined })
  await mallory.next('challenge')
  mallory.send(deletion)
  expect(await mallory.closed).toEqual(closeCodes.malformed)
})

test('an owner whose deletion cannot be committed is told so, and stays connected', async () => {
  const { url, dataDir } = await started()
  const owner = await BareClient.join(url, keys)
  await owner.save(someEnvelope())
  const release = lock(dataDir)
  owner.send(deletion)
  expect(await owner.next('unsaved')).toMatchObject({ ref: 0, reason: 'unreachable' })
  release()
  owner.send(deletion)
  expect(await owner.closed).toEqual(closeCodes.deleted)
})

test('nobody but the owner deletes a session', async () => {
  const { url } = await started()
  const alice = await BareClient.join(url, member)
  await alice.save(someEnvelope())
  alice.send(deletion)
  expect(await alice.closed).toEqual(closeCodes.forbidden)
  const owner = await BareClient.join(url, keys)
  owner.send({ type: 'delete', signature: sign(deleteStatement(keys.session), roleSeed(member)) })
  expect(await owner.closed).toEqual(closeCodes.forbidden)
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
  owner.send(deletion)
  await owner.closed
  expect(found()).toBe(false)
})
