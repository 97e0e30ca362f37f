import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { contentType } from '../../shared/polling.ts'
import { remove } from '../device/device-storage.ts'
import { SlowWay } from './slow-way.ts'
import { Ways } from './ways.ts'

const url = 'ws://relay.example/sync/abc'
const kept = 'websockets-blocked-until /'

/** What the network does to whoever asks. */
interface Network {
  sockets: 'open' | 'refused' | 'silent'
  requests: 'answered' | 'refused'
}

let network: Network
let now: number

beforeEach(() => {
  vi.useFakeTimers()
  now = Date.now()
  vi.stubGlobal('document', { baseURI: 'http://relay.example/' })
  remove(kept)
  network = { sockets: 'open', requests: 'answered' }
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  remove(kept)
})

class FakeSocket extends EventTarget {
  constructor() {
    super()
    if (network.sockets === 'open') setTimeout(() => this.dispatchEvent(new Event('message')), 5)
    if (network.sockets === 'refused') setTimeout(() => this.dispatchEvent(new Event('close')), 5)
  }

  close(): void {
    setTimeout(() => this.dispatchEvent(new Event('close')))
  }
}

/** A relay that opens connections and then has nothing to say. */
const fakeFetch: typeof fetch = (_, init) =>
  new Promise((resolve, reject) => {
    if (network.requests === 'refused') return reject(new TypeError('Failed to fetch'))
    init?.signal?.addEventListener('abort', () => reject(new DOMException('Aborted', 'AbortError')))
    const { body } = init ?? {}
    if (body instanceof Uint8Array && body[0] === 1)
      resolve(new Response(new Uint8Array(16), { headers: { 'Content-Type': contentType } }))
  })

function ways(): Ways {
  return new Ways({
    openSocket: () => new FakeSocket() as unknown as WebSocket,
    loadSlowWay: async () =>
      class extends SlowWay {
        constructor(to: string, protocol: string, of: Ways) {
          super(to, protocol, of, fakeFetch)
        }
      },
  })
}

/** Tries so often, one after the other, and says which way each time. */
async function attempts(by: Ways, count: number, each = 100): Promise<string[]> {
  const tried: string[] = []
  for (let attempt = 0; attempt < count; attempt++) {
    tried.push(by.connect(url, 'facedown.v1') instanceof SlowWay ? 'requests' : 'socket')
    await vi.advanceTimersByTimeAsync(each)
  }
  return tried
}

test('while WebSockets open nothing else is tried, however often they are cut', async () => {
  expect(await attempts(ways(), 6)).toEqual(Array(6).fill('socket'))
})

test('after two WebSockets that never opened requests are tried, and kept once they work', async () => {
  network.sockets = 'refused'
  expect(await attempts(ways(), 5)).toEqual(['socket', 'socket', 'requests', 'requests', 'requests'])
})

test('sessions that are left before a WebSocket opened do not make the network look blocked', async () => {
  const by = ways()
  for (let left = 0; left < 2; left++) {
    by.connect(url, 'facedown.v1').close()
    await vi.advanceTimersByTimeAsync(1)
  }
  expect(await attempts(by, 3)).toEqual(['socket', 'socket', 'socket'])
})

test('one WebSocket that stays silent for eight seconds is enough', async () => {
  network.sockets = 'silent'
  expect(await attempts(ways(), 3, 8100)).toEqual(['socket', 'requests', 'requests'])
})

test('while nothing answers WebSockets keep their turns', async () => {
  network = { sockets: 'refused', requests: 'refused' }
  const tried = ['socket', 'socket', 'requests', 'socket', 'socket', 'requests', 'socket']
  expect(await attempts(ways(), 7)).toEqual(tried)
})

test('a relay that was only away is left to WebSockets again at once', async () => {
  network = { sockets: 'refused', requests: 'refused' }
  const by = ways()
  await attempts(by, 2)
  network = { sockets: 'open', requests: 'answered' }
  const slow = by.connect(url, 'facedown.v1')
  let closed = 0
  slow.onclose = ({ code }) => {
    closed = code
  }
  await vi.advanceTimersByTimeAsync(1200)
  expect(closed).toBe(1000)
  expect(await attempts(by, 2)).toEqual(['socket', 'socket'])
  expect(ways().blockedUntil).toBeNaN()
})

test('what a network blocks is remembered for a day, and then tried again', async () => {
  network.sockets = 'refused'
  const by = ways()
  await attempts(by, 3)
  const slow = by.connect(url, 'facedown.v1')
  await vi.advanceTimersByTimeAsync(100_000)
  expect(slow.readyState).toBe(1)
  expect(by.blockedUntil).toBeGreaterThan(now + 86_400_000)

  const nextVisit = ways()
  await vi.advanceTimersByTimeAsync(10)
  expect(await attempts(nextVisit, 2)).toEqual(['requests', 'requests'])

  network.sockets = 'open'
  await vi.advanceTimersByTimeAsync(86_500_000)
  expect(slow.readyState).toBe(3)
  expect(ways().blockedUntil).toBeNaN()
  expect(await attempts(ways(), 2)).toEqual(['socket', 'socket'])
})

test('a check that fails once says nothing about tomorrow', async () => {
  network.sockets = 'refused'
  const by = ways()
  await attempts(by, 2)
  by.connect(url, 'facedown.v1')
  await vi.advanceTimersByTimeAsync(20_000)
  expect(by.blockedUntil).toBeNaN()
})

test('a device whose clock was a year ahead tries WebSockets again when it is right', async () => {
  vi.setSystemTime(now + 365 * 86_400_000)
  ways().remember()
  expect(ways().blockedUntil).toBeGreaterThan(Date.now())
  vi.setSystemTime(now)
  const nextVisit = ways()
  await vi.advanceTimersByTimeAsync(10)
  expect(await attempts(nextVisit, 2)).toEqual(['socket', 'socket'])
})
