import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createSessionKeys, keysFor } from '../../shared/keys.ts'
import { decodeFromRelay, type FromRelay, subprotocol } from '../../shared/wire.ts'
import { started, waitingInAll } from '../fixtures.testing.ts'
import { someEnvelope, startRelay, type TestRelay } from '../testing.ts'
import { BareClient, webSocketOf } from './bare-client.testing.ts'
import { closeCodes } from './close-words.ts'

let relay: TestRelay

beforeEach(async () => {
  relay = await startRelay()
})

afterEach(async () => {
  await relay.stop()
})

const keys = createSessionKeys()
const member = keysFor('member', keys)

test('text is malformed', async () => {
  const mallory = await BareClient.join(relay.url, keys)
  webSocketOf(mallory).send('hello')
  expect(await mallory.closed).toEqual(closeCodes.malformed)
})

test('a message in hundreds of fragments is refused', async () => {
  const mallory = await BareClient.join(relay.url, keys)
  for (let at = 0; at < 300; at++) webSocketOf(mallory).send(Uint8Array.of(2), { fin: false })
  expect(await mallory.closed).toEqual(closeCodes.tooLarge)
})

test('a compressed message is malformed, and compression is not agreed to', async () => {
  const { url } = relay
  const mallory = await BareClient.join(url, keys)
  expect(webSocketOf(mallory).extensions).toBe('')
  const wire = connect(Number(new URL(url).port), '127.0.0.1')
  onTestFinished(() => void wire.destroy())
  wire.write(
    [
      `GET /sync/${keys.session} HTTP/1.1`,
      `Host: ${new URL(url).host}`,
      `Origin: ${url}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
      `Sec-WebSocket-Protocol: ${subprotocol}`,
      '\r\n',
    ].join('\r\n'),
  )
  const heard: Buffer[] = []
  wire.on('data', (bytes) => heard.push(bytes))
  const ended = new Promise((resolve) => wire.on('end', resolve))
  await vi.waitFor(() => expect(String(Buffer.concat(heard))).toContain('101 Switching Protocols'))
  expect(String(Buffer.concat(heard))).not.toMatch(/sec-websocket-extensions/i)
  // FIN and RSV1, binary, masked with zeros, one byte
  wire.write(Uint8Array.of(0xc2, 0x81, 0, 0, 0, 0, 1))
  await ended
  const { code, words } = closeCodes.malformed
  expect(
    Buffer.concat(heard).includes(Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(words)])),
  ).toBe(true)
})

test('pings are frames, too: who sends too many is asked for a pause', async () => {
  const strict = await started({ limits: { framesOfConnection: { perSecond: 1, burst: 20 } } })
  const mallory = await BareClient.join(strict.url, keys)
  for (let sent = 0; sent < 30; sent++) webSocketOf(mallory).ping()
  expect(await mallory.closed).toEqual(closeCodes.tooFast)
})

test('who answers no ping is ended at the fourth turn, and who answers stays', async () => {
  takeTurns()
  const { url } = await started()
  const alice = await BareClient.join(url, keys)
  const bob = await BareClient.join(url, member)
  webSocketOf(bob).pause() // as if his line was cut: nothing comes back any more
  for (let turn = 1; turn <= 6; turn++) {
    vi.advanceTimersByTime(20_000)
    await alice.next('keepalive')
    await pongOf(alice)
    expect(alice.frames.filter(({ type }) => type === 'left')).toHaveLength(turn < 4 ? 0 : 1)
  }
  expect(alice.isOpen).toBe(true)
})

test('who says something needs no ping to prove that they are there', async () => {
  takeTurns()
  const { url } = await started()
  const alice = await BareClient.join(url, keys)
  const bob = await BareClient.join(url, member)
  const pinged = { alice: 0, bob: 0 }
  webSocketOf(alice).on('ping', () => pinged.alice++)
  webSocketOf(bob).on('ping', () => pinged.bob++)
  for (let turn = 1; turn <= 6; turn++) {
    vi.advanceTimersByTime(20_000)
    await bob.next('keepalive')
    await pongOf(bob)
    await alice.save(someEnvelope())
  }
  expect(pinged).toEqual({ alice: 0, bob: 3 })
})

/** The relay's turns of 20 seconds are over when the test says so. */
function takeTurns(): void {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
}

/** Then what she sent before has arrived, her own answers to pings too. */
async function pongOf(client: BareClient): Promise<void> {
  const answered = once(webSocketOf(client), 'pong')
  webSocketOf(client).ping()
  await answered
}

test('clients that do not read may have so much waiting together, and no more', async () => {
  const { url, reports, stop } = await started({ limits: waitingInAll, sessionMaxBytes: 1 << 30 })
  const alice = await BareClient.join(url, keys)
  const stalled = await Promise.all(Array.from({ length: 4 }, () => BareClient.join(url, member)))
  for (const client of stalled) webSocketOf(client).pause()
  const bob = await BareClient.join(url, member)
  const hasLost = () => alice.frames.filter(({ type }) => type === 'left').length
  let sent = 0
  for (; hasLost() < 4 && sent < 400; sent++) {
    alice.send({ type: 'signal', to: 0, envelope: someEnvelope(4000) })
    for (let more = 0; more < 12; more++) alice.send({ type: 'signal', to: 0, envelope: someEnvelope(4000) })
    await bob.until((frames) => frames.filter(({ type }) => type === 'signal').length === (sent + 1) * 13)
  }
  expect(hasLost()).toBe(4)
  expect(await bob.save(someEnvelope())).toMatchObject({ type: 'saved' })
  await stop()
  expect(reports).toContainEqual({ event: 'refused', reason: 'tooSlow', times: 4 })
})

test('messages that never end may take so much memory together, and no more', async () => {
  const { url, stop } = await startRelay({ limits: { bufferedInAll: 1 << 20 } })
  onTestFinished(stop)
  const alice = await BareClient.join(url, keys)
  const mallories = await Promise.all(Array.from({ length: 4 }, () => BareClient.join(url, member)))
  for (const mallory of mallories) webSocketOf(mallory).send(new Uint8Array(600_000), { fin: false })
  const left = (frames: readonly FromRelay[]) => frames.filter(({ type }) => type === 'left')
  await alice.until((frames) => left(frames).length === 3)
  expect(await alice.save(someEnvelope(65_536))).toMatchObject({ type: 'saved' })
  await vi.waitFor(() => expect(mallories.filter(({ isOpen }) => isOpen)).toHaveLength(1))
})

test.each([
  ['no session', '/sync/', subprotocol, 404],
  ['an id of wrong length', '/sync/abc', subprotocol, 404],
  ['another path', '/other', subprotocol, 404],
  ['another subprotocol', `/sync/${keys.session}`, 'other.v1', 400],
])('no socket is opened for %s', async (_, path, protocol, status) => {
  expect(await upgradeStatus(path, protocol)).toBe(status)
})

test('who is refused a socket has no connection left, even without ending it', async () => {
  const mallory = connect({ port: relay.port, host: '127.0.0.1', allowHalfOpen: true })
  onTestFinished(() => void mallory.destroy())
  mallory.write('GET /other HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
  let isCut = false
  mallory.on('error', () => {
    isCut = true
  })
  mallory.resume()
  await once(mallory, 'end')
  await vi.waitFor(() => {
    mallory.write('x')
    expect(isCut).toBe(true)
  })
})

test.each([
  [['facedown.v1', 'facedown.v2'], 'facedown.v1'],
  [['facedown.v3', 'other.v1', 'facedown.v1'], 'facedown.v1'],
])('an app that speaks %j and a relay agree on the version both speak', async (offered, spoken) => {
  const socket = new WebSocket(`${relay.url.replace('http', 'ws')}/sync/${keys.session}`, offered, {
    origin: relay.url,
  })
  const [bytes] = await once(socket, 'message')
  expect(socket.protocol).toBe(spoken)
  expect(decodeFromRelay(bytes)).toMatchObject({ type: 'challenge' })
  socket.terminate()
})

test('an app of a later version only is told why it is not served, instead of seeming to be offline', async () => {
  const offered = ['facedown.v3', 'facedown.v2']
  const socket = new WebSocket(`${relay.url.replace('http', 'ws')}/sync/${keys.session}`, offered, {
    origin: relay.url,
  })
  const [code, words] = await once(socket, 'close')
  expect(socket.protocol).toBe('facedown.v3')
  expect({ code, words: String(words) }).toEqual(closeCodes.version)
})

test('behind a proxy people are told apart by the address it wrote, not by those that they made up before it', async () => {
  const { url } = await started({ trustProxy: true, limits: { openOfAddress: 1 } })
  const open = async (forwarded: string) => {
    const headers = { 'X-Forwarded-For': forwarded }
    const socket = new WebSocket(`${url.replace('http', 'ws')}/sync/${keys.session}`, subprotocol, {
      headers,
      origin: url,
    })
    onTestFinished(() => socket.terminate())
    await once(socket, 'open')
  }
  await open('198.51.100.1, 203.0.113.7')
  await expect(open('198.51.100.2, 203.0.113.7')).rejects.toThrow('429')
  await open('198.51.100.1, 203.0.113.8')
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
