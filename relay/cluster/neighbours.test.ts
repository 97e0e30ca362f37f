import type { NatsConnection } from '@nats-io/transport-node'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Neighbours } from './neighbours.ts'

const hour = 3_600_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'], now: new Date('2026-05-04T12:00Z') })
})
afterEach(() => {
  vi.useRealTimers()
})

test('a clock that is set makes nobody silent, and nobody who is silent speak', () => {
  const neighbours = new Neighbours(deaf)
  neighbours.told(store)
  const heard = () => neighbours.all.map(({ isHeard }) => isHeard)
  vi.setSystemTime(Date.now() + 2 * hour)
  expect(heard()).toEqual([true])
  vi.setSystemTime(Date.now() - 4 * hour)
  vi.advanceTimersByTime(20_000)
  expect(heard()).toEqual([false])
  expect(neighbours.all[0]?.heardAt).toBe(Date.now() - 20_000)
  vi.advanceTimersByTime(hour)
  expect(heard()).toEqual([])
})

/** Nobody else says anything. */
const deaf = { subscribe: () => ({ unsubscribe: () => {} }) } as unknown as NatsConnection

const store = JSON.stringify({
  name: 'facedown-store',
  id: 'one',
  version: '1.0.0',
  started: '2026-05-04T11:00:00.000Z',
  metadata: { region: 'east', shards: '0-63' },
  endpoints: [{ num_requests: 0, average_processing_time: 0, data: { ready: true } }],
})
