import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { contentType, decodePoll, type Poll, tokenBytes } from '../../shared/polling.ts'
import { PollingSocket } from './polling-socket.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const headers = { 'Content-Type': contentType }

/** As of a connection that died on the way and tells nobody. */
function never(signal: AbortSignal | null | undefined): Promise<Response> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason))
  })
}

test('what goes up on a connection that has died goes up again, while what comes down goes on', async () => {
  const ups: Extract<Poll, { type: 'up' }>[] = []
  const socket = new PollingSocket('wss://relay.example/sync/x', (_, init) => {
    const poll = init?.body instanceof Uint8Array ? decodePoll(init.body) : undefined
    switch (poll?.type) {
      case 'open':
        return Promise.resolve(new Response(new Uint8Array(tokenBytes), { headers }))
      case 'up':
        ups.push(poll)
        return ups.length === 1 ? never(init?.signal) : Promise.resolve(new Response(null, { status: 204 }))
      default:
        return never(init?.signal)
    }
  })
  await vi.waitFor(() => expect(socket.readyState).toBe(1))
  socket.send(new Uint8Array(100))
  await vi.advanceTimersByTimeAsync(15_000)
  socket.send(new Uint8Array(50))
  expect(ups).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(ups.map(({ offset, piece }) => [offset, piece.length])).toEqual([
    [0, 104],
    [0, 104],
    [104, 54],
  ])
  expect(socket.readyState).toBe(1)
  socket.close()
})
