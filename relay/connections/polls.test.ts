import type { ClientRequest } from 'node:http'
import { createConnection } from 'node:net'
import { expect, test, vi } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import {
  contentType,
  encodePoll,
  FrameReader,
  type Poll,
  putFrames,
  requestBytes,
} from '../../shared/polling.ts'
import { decodeFromRelay, encodeFromClient, type FromRelay } from '../../shared/wire.ts'
import { started, waitingInAll } from '../fixtures.testing.ts'
import { someEnvelope } from '../testing.ts'
import { BareClient, transport } from './bare-client.testing.ts'
import { type Answer, BarePolling, post } from './bare-polling.testing.ts'
import { closeCodes } from './close-words.ts'
import { comesBackWithinMs } from './polled.ts'

transport.kind = 'polling'

const keys = createSessionKeys()

function append(ref: number, envelope: Uint8Array): Uint8Array {
  return encodeFromClient({ type: 'append', ref, envelope })
}

/** A client whose requests a test makes itself. */
async function joinedByHand(url: string): Promise<{ client: BareClient; socket: BarePolling }> {
  const client = await BareClient.join(url, keys)
  const { socket } = client
  if (!(socket instanceof BarePolling)) throw new Error('It polls')
  return { client, socket }
}

test('an answer is bytes that no proxy may keep or change', async () => {
  const { url } = await started()
  const { status, headers, body } = await post(`${url}/sync/${keys.session}`, url, { type: 'open' })
  expect([status, headers['content-type']]).toEqual([200, contentType])
  expect(headers['cache-control']).toBe('no-store, no-transform')
  expect(headers['access-control-allow-origin']).toBeUndefined()
  expect(headers['set-cookie']).toBeUndefined()
  expect(framesIn(body.subarray(16)).map(({ type }) => type)).toEqual(['challenge'])
})

test('a request that came twice, late or torn is applied once and in order', async () => {
  const { url } = await started()
  const reader = await BareClient.join(url, keys)
  const { client, socket } = await joinedByHand(url)
  const envelopes = [1, 2, 3].map(() => someEnvelope())
  const stream = putFrames(envelopes.map((envelope, at) => append(at + 1, envelope)))
  const start = socket.sent
  const up = async (from: number, to: number) => {
    const piece = stream.subarray(from, to)
    const poll: Poll = { type: 'up', token: socket.token, offset: start + from, piece }
    return (await socket.ask(poll)).status
  }
  expect(await up(0, 100)).toBe(204)
  expect(await up(0, 100)).toBe(204)
  expect(await up(300, 500)).toBe(409) // what is before it is still on its way
  expect(await up(50, 300)).toBe(204)
  expect(await Promise.all([up(300, 500), up(300, 500), up(200, 600)])).toContain(204)
  expect(await up(200, stream.length)).toBe(204)
  expect(await up(0, stream.length)).toBe(204)
  await client.next('saved', ({ ref }) => ref === 3)
  await reader.until(() => reader.envelopes().length >= 3)
  expect(reader.envelopes()).toEqual(envelopes)
  expect(client.frames.filter(({ type }) => type === 'saved')).toHaveLength(3)
  expect((await BareClient.join(url, keys)).envelopes()).toEqual(envelopes)
})

test('an answer that got lost is given again until the client says that it has it', async () => {
  const { url } = await started()
  const { client, socket } = await joinedByHand(url)
  const bob = await BareClient.join(url, keys)
  await client.next('joined')
  await socket.stopPolling()
  const envelope = someEnvelope()
  await bob.save(envelope)
  const down = (offset: number) => socket.ask({ type: 'down', token: socket.token, offset })
  const first = await down(socket.received)
  expect(framesIn(first.body)).toMatchObject([{ type: 'entry', envelope }])
  expect((await down(socket.received)).body).toEqual(first.body)
  const more = someEnvelope()
  await bob.save(more)
  expect(framesIn((await down(socket.received)).body)).toMatchObject([{ envelope }, { envelope: more }])
  const after = await down(socket.received + first.body.length)
  expect(framesIn(after.body)).toMatchObject([{ type: 'entry', envelope: more }])
  expect((await down(socket.received)).status).toBe(409) // it said that it has that
  expect((await down(socket.received + first.body.length + 1)).status).toBe(409)
  expect((await down(2 ** 50)).status).toBe(409)
})

test('of two requests that wait the older one gets nothing, and the newer one what happens', async () => {
  const { url } = await started()
  const { client, socket } = await joinedByHand(url)
  const bob = await BareClient.join(url, keys)
  await client.next('joined')
  await socket.stopPolling()
  const down: Poll = { type: 'down', token: socket.token, offset: socket.received }
  const older = socket.ask(down)
  const newer = socket.ask(down)
  const empty = await Promise.race([older, newer])
  expect(empty.body).toHaveLength(0)
  const envelope = someEnvelope()
  await bob.save(envelope)
  const answers = await Promise.all([older, newer])
  expect(answers.flatMap(({ body }) => framesIn(body))).toMatchObject([{ type: 'entry', envelope }])
})

test('a token that is none, of another session or of somebody who left opens nothing', async () => {
  const { url } = await started()
  const { client, socket } = await joinedByHand(url)
  const other = `${url}/sync/${createSessionKeys().session}`
  const guessed = new Uint8Array(16).fill(7)
  const asks: Poll[] = [
    { type: 'up', token: guessed, offset: 0, piece: putFrames([append(1, someEnvelope())]) },
    { type: 'down', token: guessed, offset: 0 },
    { type: 'leave', token: guessed },
  ]
  for (const ask of asks) {
    expect((await post(socket.url, url, ask)).status).toBe(410)
    expect((await post(other, url, { ...ask, token: socket.token } as Poll)).status).toBe(410)
  }
  expect(await client.save(someEnvelope())).toMatchObject({ type: 'saved' })
  await client.leave()
  for (const ask of asks) {
    expect((await post(socket.url, url, { ...ask, token: socket.token } as Poll)).status).toBe(410)
  }
})

test.each([
  ['evil.example', 'http://evil.example'],
  ['null', 'null'],
  ['missing', null],
])('a page of another origin gets nothing, even with a token: %s', async (_, origin) => {
  const { url } = await started()
  const { client, socket } = await joinedByHand(url)
  const piece = putFrames([append(1, someEnvelope())])
  const asks: Poll[] = [
    { type: 'up', token: socket.token, offset: socket.sent, piece },
    { type: 'down', token: socket.token, offset: socket.received },
    { type: 'leave', token: socket.token },
  ]
  for (const ask of asks) expect((await post(socket.url, origin, ask)).status).toBe(403)
  expect(await client.save(someEnvelope())).toMatchObject({ type: 'saved' })
  expect((await BareClient.join(url, keys)).envelopes()).toHaveLength(1)
})

test.each([
  ['no session', '/sync/', { type: 'open' } as Poll, undefined, 404],
  ['an id of wrong length', '/sync/abc', { type: 'open' } as Poll, undefined, 404],
  ['a form', `/sync/${keys.session}`, { type: 'open' } as Poll, 'text/plain', 415],
  ['no request of ours', `/sync/${keys.session}`, Uint8Array.of(9), undefined, 400],
  ['nothing', `/sync/${keys.session}`, new Uint8Array(), undefined, 400],
  ['too much', `/sync/${keys.session}`, new Uint8Array(requestBytes + 1), undefined, 413],
])('%s is refused', async (_, path, body, type = contentType, status) => {
  const { url } = await started()
  expect((await post(url + path, url, body, { 'Content-Type': type })).status).toBe(status)
})

test('a request that never ends holds nobody up, and is cut', async () => {
  const { url, port } = await started()
  const socket = createConnection(port, '127.0.0.1')
  socket.write(
    `POST /sync/${keys.session} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: ${url}\r\nContent-Type: ${contentType}\r\nContent-Length: 5000\r\n\r\n`,
  )
  const ended = new Promise((resolve) => socket.on('close', resolve))
  socket.resume()
  socket.write(encodePoll({ type: 'open' }))
  const alice = await BareClient.join(url, keys)
  expect(await alice.save(someEnvelope())).toMatchObject({ type: 'saved' })
  await ended
})

test('whose request is cut is gone after a few seconds, and everybody hears of it', async () => {
  const { url } = await started({ limits: { openOfAddress: 2 } })
  const alice = await BareClient.join(url, keys)
  const { socket } = await joinedByHand(url)
  const { connection } = await alice.next('joined')
  const { asked } = await waits(socket)
  const cutAt = performance.now()
  asked.destroy()
  expect(await alice.next('left')).toEqual({ type: 'left', connection })
  expect(performance.now() - cutAt).toBeLessThan(comesBackWithinMs)
  expect((await socket.ask({ type: 'down', token: socket.token, offset: socket.received })).status).toBe(410)
  await BareClient.join(url, keys) // there is room for one more again
})

test('whose request is cut and who comes back at once stays', async () => {
  const { url } = await started()
  const { client, socket } = await joinedByHand(url)
  const bob = await BareClient.join(url, keys)
  await client.next('joined')
  const { asked } = await waits(socket)
  asked.destroy()
  socket.resume()
  const envelope = someEnvelope()
  await bob.save(envelope)
  expect((await client.next('entry')).envelope).toEqual(envelope)
  expect(bob.frames.some(({ type }) => type === 'left')).toBe(false)
})

test('what is left of a closed connection can be fetched once more, and then nothing', async () => {
  const { url } = await started()
  const { socket } = await joinedByHand(url)
  await socket.stopPolling()
  const piece = putFrames([Uint8Array.of(99)])
  expect((await socket.ask({ type: 'up', token: socket.token, offset: socket.sent, piece })).status).toBe(204)
  const down = (offset: number) => socket.ask({ type: 'down', token: socket.token, offset })
  const last = await down(socket.received)
  expect(framesIn(last.body).at(-1)).toMatchObject({ type: 'refuse', code: closeCodes.malformed.code })
  expect((await down(socket.received)).body).toEqual(last.body)
  expect((await down(socket.received + last.body.length)).status).toBe(410)
})

test('clients that do not ask for more may have so much waiting together, and no more', async () => {
  const { url, reports, stop } = await started({ limits: waitingInAll, sessionMaxBytes: 1 << 30 })
  const alice = await BareClient.join(url, keys)
  const stalled = await Promise.all(Array.from({ length: 4 }, () => joinedByHand(url)))
  for (const { socket } of stalled) socket.pause()
  const hasLost = () => alice.frames.filter(({ type }) => type === 'left').length
  const bob = await BareClient.join(url, keys)
  let sent = 0
  for (; hasLost() < 4 && sent < 100; sent++) {
    for (let more = 0; more < 13; more++) alice.send({ type: 'signal', to: 0, envelope: someEnvelope(4000) })
    await bob.until((frames) => frames.filter(({ type }) => type === 'signal').length === (sent + 1) * 13)
  }
  expect(hasLost()).toBe(4)
  expect(await bob.save(someEnvelope())).toMatchObject({ type: 'saved' })
  await stop()
  expect(reports).toContainEqual({ event: 'refused', reason: 'tooSlow', times: 4 })
})

test('frames that never end may take so much memory together, and no more', async () => {
  const { url } = await started({ limits: { bufferedInAll: 1 << 20 } })
  const alice = await BareClient.join(url, keys)
  const mallories = await Promise.all(Array.from({ length: 4 }, () => joinedByHand(url)))
  const stream = putFrames([new Uint8Array(1_000_000)])
  for (const { socket } of mallories) {
    for (let at = 0; at < 600_000; at += 60_000) {
      const piece = stream.subarray(at, at + 60_000)
      await socket.ask({ type: 'up', token: socket.token, offset: socket.sent + at, piece })
    }
  }
  await alice.until((frames) => frames.filter(({ type }) => type === 'left').length === 3)
  await vi.waitFor(() => expect(mallories.filter(({ client }) => client.isOpen)).toHaveLength(1))
})

test('a relay that stops says so to those who poll, and lets nobody wait', async () => {
  const stopping = await started()
  const { socket } = await joinedByHand(stopping.url)
  const { answer } = await waits(socket)
  await stopping.stop()
  expect(framesIn((await answer).body)).toMatchObject([{ type: 'goingAway' }])
})

test('a relay has stopped once those who poll have heard it', async () => {
  const stopping = await started()
  const alice = await BareClient.join(stopping.url, keys)
  await alice.save(someEnvelope())
  const began = performance.now()
  await stopping.stop()
  expect(performance.now() - began).toBeLessThan(700)
  expect(alice.frames.some(({ type }) => type === 'goingAway')).toBe(true)
})

/** Pauses the client, and has the relay hold a request of its, which only what happens next ends. */
async function waits(socket: BarePolling): Promise<{ asked: ClientRequest; answer: Promise<Answer> }> {
  await socket.stopPolling()
  const down: Poll = { type: 'down', token: socket.token, offset: socket.received }
  const both = [ask(), ask()]
  const [older, piece] = await Promise.race(both.map(async (one) => [one, (await one.answer).body] as const))
  const newer = both.find((one) => one !== older)
  if (!newer || piece.length > 0) throw new Error('It had nothing to say before')
  return newer

  function ask() {
    const begun: { asked?: ClientRequest } = {}
    const answer = post(socket.url, socket.origin, down, undefined, (asked) =>
      Object.assign(begun, { asked }),
    )
    answer.catch(() => {}) // a test may cut it
    if (!begun.asked) throw new Error('It was begun')
    return { asked: begun.asked, answer }
  }
}

function framesIn(stream: Uint8Array): FromRelay[] {
  const reader = new FrameReader()
  reader.push(stream)
  const frames: FromRelay[] = []
  for (let frame = reader.next(1 << 22); frame && frame !== 'tooLarge'; frame = reader.next(1 << 22)) {
    const message = decodeFromRelay(frame)
    if (!message) throw new Error('Not a frame of a relay')
    frames.push(message)
  }
  return frames
}
