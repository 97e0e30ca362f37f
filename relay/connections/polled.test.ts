import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import { encodeFromRelay } from '../../shared/wire.ts'
import { LocalBus } from '../bus/local-bus.ts'
import { Rooms } from '../rooms/rooms.ts'
import { archiveOf, type Store } from '../store/store.ts'
import { random } from '../testing.ts'
import type { Connected, Registry } from './connections.ts'
import { limitsOf } from './limits.ts'
import { Polled } from './polled.ts'

const nobodyEntersARoom = {} as unknown as Store
const open = new Set<Connected>()
const slow = new Set<Connected>()
const registry: Registry = {
  add: (client) => open.add(client),
  remove: (client) => open.delete(client) && slow.delete(client),
  noteSlow: (client) => slow.add(client),
}
let forgotten = 0
let polled: Polled

beforeEach(() => {
  vi.useFakeTimers()
  forgotten = 0
  const limits = limitsOf({ maxConnections: 9, maxConnectionsPerAddress: 9, newConnectionsPerSecond: 9 })
  const rooms = new Rooms(new LocalBus(nobodyEntersARoom), archiveOf(nobodyEntersARoom))
  const surroundings = { rooms, limits, now: () => 0, random, refused: () => {}, caughtUp: () => {} }
  const address = { open: 0, earnedAt: 0 }
  polled = new Polled(
    createSessionKeys().session,
    'http://poker.example',
    surroundings,
    registry,
    address,
    () => {
      forgotten++
    },
  )
  registry.add(polled)
})

afterEach(() => {
  polled.terminate()
  vi.useRealTimers()
})

const ever = new AbortController().signal

test('a request that was cut before anybody looked at it counts as cut', async () => {
  const { length } = polled.begin()
  await polled.poll(length, AbortSignal.abort())
  expect(open.size).toBe(1)
  await vi.advanceTimersByTimeAsync(5000)
  expect([open.size, forgotten]).toEqual([0, 1])
})

test('who takes an answer and never asks again is forgotten', async () => {
  const { length } = polled.begin()
  const waiting = polled.poll(length, ever)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(open.size).toBe(1) // a request that waits is somebody
  polled.checkAlive()
  expect(await waiting).toHaveLength(0)
  await vi.advanceTimersByTimeAsync(29_000)
  expect(open.size).toBe(1)
  await vi.advanceTimersByTimeAsync(2000)
  expect([open.size, forgotten]).toEqual([0, 1])
  expect(await polled.poll(length, ever)).toBe('gone')
})

test('somebody who opens a connection and nothing more is forgotten', async () => {
  polled.begin()
  await vi.advanceTimersByTimeAsync(31_000)
  expect([open.size, forgotten]).toEqual([0, 1])
})

test('one answer carries a bounded piece, and whoever waits for it to leave goes on when it has', async () => {
  const { length } = polled.begin()
  const signal = encodeFromRelay({ type: 'signal', from: 1, envelope: random(60_000) })
  for (let sent = 0; sent < 10; sent++) polled.send(signal)
  let isFlushed = false
  void polled.flush().then(() => {
    isFlushed = true
  })
  let offset = length
  const answers: number[] = []
  while (polled.bufferedAmount > 0) {
    const piece = await polled.poll(offset, ever)
    if (!piece || piece === 'gone') throw new Error('It is there')
    answers.push(piece.length)
    offset += piece.length
    await vi.advanceTimersByTimeAsync(0)
    expect(isFlushed).toBe(polled.bufferedAmount < 131_072)
  }
  expect(answers).toHaveLength(3)
  expect(Math.max(...answers)).toBeLessThanOrEqual(262_144)
  expect(offset - length).toBe(10 * (signal.length + 4))
})

test('what is kept for somebody counts until it arrived, and after the connection was closed as well', async () => {
  const { length } = polled.begin()
  const frame = encodeFromRelay({ type: 'signal', from: 1, envelope: random(50_000) })
  polled.send(frame)
  expect(slow.size).toBe(0)
  polled.send(frame)
  expect(slow).toEqual(new Set([polled]))
  const answer = await polled.poll(length, ever)
  if (!answer || answer === 'gone') throw new Error('There is something')
  expect(polled.waitingBytes).toBe(answer.length)
  void polled.poll(length + answer.length, ever)
  expect(polled.waitingBytes).toBe(0)
  polled.checkAlive()
  for (let sent = 0; sent < 2; sent++) polled.send(frame)
  polled.close()
  expect([open.size, slow.size]).toEqual([0, 1])
  polled.terminate()
  expect(polled.waitingBytes).toBe(0)
})
