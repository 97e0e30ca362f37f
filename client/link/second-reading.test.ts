import { expect, test } from 'vitest'
import * as Y from 'yjs'
import type { Cursor } from '../../shared/cursor.ts'
import { encrypt } from '../../shared/envelope.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { splitIntoParts } from '../../shared/parts.ts'
import { decodeFromClient, encodeFromRelay, type FromRelay } from '../../shared/wire.ts'
import { Held } from './held.ts'
import { muteSocket } from './mute-socket.testing.ts'
import type { PlainSocket } from './plain-socket.ts'
import { readFromOlder } from './second-reading.ts'

const keys = createSessionKeys()
const names = ['ana', 'ben', 'cleo']
/** Each somebody else's, so that none needs another. */
const log = names.map((name) => {
  const doc = new Y.Doc()
  doc.getMap('votes').set(name, 5)
  return Y.encodeStateAsUpdate(doc)
})
const end: Cursor = new Map([['eu', { sequence: log.length, mark: new Uint8Array(8) }]])

/** Reads the log after a first reading that found `found`; the relay keeps back what each connection in turn does not get. */
async function read(found: readonly string[], ...keptBack: readonly (readonly string[])[]) {
  let connections = 0
  const connect = () => {
    const withheld = keptBack[connections++] ?? []
    const says = (message: FromRelay) =>
      socket.onmessage?.({ data: encodeFromRelay(message).slice().buffer as ArrayBuffer })
    const socket: PlainSocket = {
      ...muteSocket(),
      send: (bytes) => {
        if (decodeFromClient(bytes)?.type !== 'hello') return
        log.forEach((update, at) => {
          const [part = new Uint8Array()] = splitIntoParts(update)
          const envelope = encrypt(keys, 'change', part)
          const cursor: Cursor = new Map([['eu', { sequence: at + 1, mark: new Uint8Array(8) }]])
          if (!withheld.includes(names[at] ?? '')) says({ type: 'entry', cursor, envelope })
        })
        says({ type: 'caughtUp', cursor: end, log: 'kept', resumed: false })
      },
    }
    queueMicrotask(() => says({ type: 'challenge', nonce: new Uint8Array(32) }))
    return socket
  }
  const held = new Held()
  for (const name of found) held.add(log[names.indexOf(name)] ?? new Uint8Array())
  const doc = new Y.Doc()
  const options = { keys, doc, origin: '', connect, place: undefined, remember: () => {}, changed: () => {} }
  const reading = await readFromOlder(options, 'wss://relay.example/', { cursor: end, held })
  if (reading) Y.applyUpdate(doc, reading.update)
  return { connections, found: [...doc.getMap('votes').keys()].sort(), cursor: reading?.cursor }
}

test('what was kept back at first is found by reading once more', async () => {
  expect(await read(['ana'], [])).toEqual({ connections: 1, found: names, cursor: end })
})

test('a log of which a first reading had more is read until nothing is missing', async () => {
  expect(await read(['ana', 'ben'], ['ben', 'cleo'])).toEqual({ connections: 2, found: names, cursor: end })
  expect(await read(['ana', 'ben'], ['ben', 'cleo'], ['ana', 'cleo'])).toEqual({
    connections: 3,
    found: names,
    cursor: end,
  })
})

test('a log that lacks what was there before is taken as it is, when it is the same twice', async () => {
  const lacks = ['ana']
  expect(await read(names, lacks, lacks)).toEqual({ connections: 2, found: ['ben', 'cleo'], cursor: end })
})

test('of a relay that gives something else each time nothing is whole', async () => {
  const { cursor, connections } = await read(names, ['ana'], ['ben'], ['cleo'], ['ana'])
  expect({ cursor, connections }).toEqual({ cursor: undefined, connections: 4 })
})
