import { createDecoder, readVarUint, readVarUint8Array } from 'lib0/decoding'
import { expect, test } from 'vitest'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { equalBytes } from '../../shared/codec.ts'
import { fuzz } from '../../shared/fuzz.testing.ts'
import { mutantOf } from '../../shared/mutants.testing.ts'
import { bytesOf, Device } from '../../shared/testing.ts'
import { decodePresence, encodePresence, PresentPeers } from './presence.ts'
import { decodeProviderFrame } from './provider-frames.ts'

const alice = new Device('alice').id
const bob = new Device('bob').id
const valid = [
  encodePresence({ participant: undefined }),
  encodePresence({ participant: alice, digest: bytesOf(3, 8) }),
  encodePresence({ participant: alice, reaction: { emoji: '🎉', count: 3 } }),
  encodePresence({ participant: bob, nudge: { to: alice, count: 2 ** 40 }, digest: bytesOf(4, 8) }),
]

fuzz('a signal is one presence or none', { inputs: 15_000, kinds: ['presence', 'none'] }, (chance) => {
  const presence = decodePresence(mutantOf(valid, chance))
  if (!presence) return 'none'
  const written = encodePresence(presence)
  const again = decodePresence(written)
  if (!again || !equalBytes(encodePresence(again), written)) throw new Error('It is another when written')
  if (written.length > 200) throw new Error('A presence is small')
  const frame = new PresentPeers(() => 1).set(7, presence)
  if (!frame || decodeProviderFrame(frame).type !== 'awareness')
    throw new Error('The provider cannot read it')
  return 'presence'
})

test('fifty thousand states in one signal, and one that says another is gone, are no presence', () => {
  const awareness = new Awareness(new Y.Doc())
  for (let client = 1; client <= 50_000; client++) awareness.states.set(client, { participant: bob })
  for (let client = 1; client <= 50_000; client++) awareness.meta.set(client, { clock: 1, lastUpdated: 0 })
  const flood = encodeAwarenessUpdate(awareness, [...awareness.states.keys()])
  awareness.states.clear()
  const gone = encodeAwarenessUpdate(awareness, [1])
  awareness.destroy()
  expect(decodePresence(flood)).toBe(undefined)
  expect(decodePresence(gone)).toBe(undefined)
})

test('fifty thousand connections that a relay makes up are a thousand, and cost little', () => {
  let clock = 0
  const peers = new PresentPeers(() => ++clock)
  const begun = process.cpuUsage()
  let known = 0
  for (let connection = 1; connection <= 50_000; connection++) {
    const frame = peers.set(connection, { participant: bob })
    if (frame) known++
  }
  expect(known).toBe(1000)
  const renewal = decodeProviderFrame(peers.renewal())
  expect(renewal.type === 'awareness' && renewal.entries.length).toBe(1000)
  expect(process.cpuUsage(begun).user / 1000).toBeLessThan(500)
})

test('what one connection says changes nothing about another', () => {
  let clock = 0
  const peers = new PresentPeers(() => ++clock)
  const awareness = new Awareness(new Y.Doc())
  /** As the provider does it: the frame's content behind its kind and length. */
  const take = (frame: Uint8Array | undefined) => {
    if (!frame) return
    const decoder = createDecoder(frame)
    readVarUint(decoder)
    applyAwarenessUpdate(awareness, readVarUint8Array(decoder), 'relay')
  }
  take(peers.set(1, { participant: alice }))
  for (let turn = 0; turn < 100; turn++) take(peers.set(2, { participant: alice }))
  take(peers.remove(2))
  expect([...awareness.states.values()].filter((state) => state.participant === alice)).toHaveLength(1)
  awareness.destroy()
})
