import { expect, onTestFinished, test } from 'vitest'
import * as Y from 'yjs'
import { BareClient } from '../../relay/connections/bare-client.testing.ts'
import { startRelay } from '../../relay/testing.ts'
import { addRecord, recordsOf } from '../../shared/document.ts'
import { encrypt } from '../../shared/envelope.ts'
import { createSessionKeys, keysFor, type SessionKeys } from '../../shared/keys.ts'
import { recordIdOf } from '../../shared/record.ts'
import { Device, until } from './device.ts'

async function started() {
  const relay = await startRelay()
  onTestFinished(() => relay.stop())
  const keys = createSessionKeys()
  const devices: Device[] = []
  onTestFinished(() => {
    for (const device of devices) device.stop()
  })
  const arrive = async (own: SessionKeys) => {
    const device = new Device(relay.url, own)
    devices.push(device)
    device.connect()
    await until(
      () => device.caughtUp,
      () => 'A device never caught up',
    )
    return device
  }
  return { url: relay.url, keys, arrive }
}

/** Everything a snapshot can leave out. */
async function hideAll(url: string, keys: SessionKeys): Promise<void> {
  const mallory = await BareClient.join(url, keys)
  const caughtUp = mallory.frames.find((frame) => frame.type === 'caughtUp')
  const envelope = encrypt(keys, 'snapshot', Y.encodeStateAsUpdate(new Y.Doc()))
  mallory.send({ type: 'snapshot', covers: caughtUp?.cursor ?? new Map(), replaces: undefined, envelope })
  await mallory.save(encrypt(keys, 'change', Uint8Array.of(1))) // what was sent before has been seen to
  await mallory.leave()
}

test('a vote that a snapshot hides is found by a newcomer, and sent again for whoever reads the snapshot only', async () => {
  const { url, keys, arrive } = await started()
  const member = keysFor('member', keys)
  const alice = await arrive(member)
  const vote = new Uint8Array(150).fill(7)
  addRecord(alice.doc, vote)
  await until(
    () => alice.caughtUp,
    () => 'The vote was never saved',
  )
  alice.stop()
  await hideAll(url, member)

  const bob = await arrive(keysFor('observer', keys))
  expect(recordsOf(bob.doc).size).toBe(0)
  await until(
    () => recordsOf(bob.doc).has(recordIdOf(vote)),
    () => 'Bob never sees the vote',
  )
  bob.stop()

  const carol = await arrive(member)
  await until(
    () => carol.link.place?.held.covers(Y.snapshot(carol.doc)) === true && recordsOf(carol.doc).size === 1,
    () => 'Carol never sends the vote again',
  )
  carol.stop()
  const dave = await arrive(member)
  expect(recordsOf(dave.doc).has(recordIdOf(vote))).toBe(true)
}, 60_000)
