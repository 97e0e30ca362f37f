import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createSessionKeys } from '../shared/keys.ts'
import { subprotocol } from '../shared/wire.ts'
import { BareClient } from './bare-client.testing.ts'
import { closeCodes } from './close-words.ts'
import { startRelay, type TestRelay } from './testing.ts'

let relay: TestRelay

beforeEach(async () => {
  relay = await startRelay()
})

afterEach(async () => {
  await relay.stop()
})

const keys = createSessionKeys()

test('text is malformed', async () => {
  const mallory = await BareClient.join(relay.url, keys)
  socketOf(mallory).send('hello')
  expect(await mallory.closed).toEqual(closeCodes.malformed)
})

test('a message in hundreds of fragments is refused', async () => {
  const mallory = await BareClient.join(relay.url, keys)
  for (let at = 0; at < 300; at++) socketOf(mallory).send(Uint8Array.of(2), { fin: false })
  expect(await mallory.closed).toEqual(closeCodes.tooLarge)
})

test.each([
  ['no session', '/sync/', subprotocol, 404],
  ['an id of wrong length', '/sync/abc', subprotocol, 404],
  ['another path', '/other', subprotocol, 404],
  ['another subprotocol', `/sync/${keys.session}`, 'other.v1', 400],
])('no socket is opened for %s', async (_, path, protocol, status) => {
  expect(await upgradeStatus(path, protocol)).toBe(status)
})

test('bytes that are not HTTP get no answer that helps', async () => {
  const socket = connect(relay.port, '127.0.0.1')
  socket.end('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03')
  const answer = await new Promise<string>((resolve) => {
    let text = ''
    socket.on('data', (data) => {
      text += data
    })
    socket.on('close', () => resolve(text))
  })
  expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request/)
})

function socketOf({ socket }: BareClient): WebSocket {
  if (socket instanceof WebSocket) return socket
  throw new Error('It is a WebSocket')
}

function upgradeStatus(path: string, protocol: string): Promise<number> {
  const socket = new WebSocket(relay.url.replace('http', 'ws') + path, protocol, { origin: relay.url })
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_, response) => {
      resolve(response.statusCode ?? 0)
      socket.terminate()
    })
    socket.on('open', () => reject(new Error('It was opened')))
    socket.on('error', () => {
      // `terminate` before the opening reports itself as an error.
    })
  })
}
