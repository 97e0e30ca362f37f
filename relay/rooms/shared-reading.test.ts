import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Cursor } from '../../shared/cursor.ts'
import type { Pages, Unreachable } from '../store/store.ts'
import { SharedReading } from './shared-reading.ts'

const pages: Pages = { outcome: 'pages', resumed: true, of: new Map() }
let answer: Pages | Unreachable
let read: number
let reading: SharedReading

beforeEach(() => {
  vi.useFakeTimers()
  answer = pages
  read = 0
  reading = new SharedReading(async () => {
    read++
    return answer
  })
})
afterEach(() => vi.useRealTimers())

test('a crowd that comes at once costs one reading, and others with another place one of their own', async () => {
  const crowd = Array.from({ length: 50 }, () => reading.since(new Map(), 0))
  expect(await Promise.all(crowd)).toEqual(Array(50).fill(pages))
  expect(read).toBe(1)
  await reading.since(at(7), 0)
  await reading.since(at(7), 1)
  await reading.since(at(7), 0)
  expect(read).toBe(3)
})

test('whoever comes after something was said reads anew', async () => {
  const before = reading.since(new Map(), 0)
  reading.outdate()
  await Promise.all([before, reading.since(new Map(), 0)])
  expect(read).toBe(2)
})

test('an answer is forgotten after two seconds, and a refusal at once', async () => {
  await reading.since(new Map(), 0)
  vi.advanceTimersByTime(2_001)
  answer = { outcome: 'refused', reason: 'unreachable' }
  expect(await reading.since(new Map(), 0)).toEqual(answer)
  answer = pages
  expect(await reading.since(new Map(), 0)).toEqual(pages)
  expect(read).toBe(3)
})

test('somebody who asks for many places makes the relay remember four of them', async () => {
  for (let place = 1; place <= 6; place++) await reading.since(at(place), 0)
  await reading.since(at(6), 0)
  expect(read).toBe(6)
  await reading.since(at(1), 0)
  expect(read).toBe(7)
  expect(vi.getTimerCount()).toBe(4) // each would keep what was read
  reading.outdate()
  expect(vi.getTimerCount()).toBe(0)
})

function at(sequence: number): Cursor {
  return new Map([['local.abc', { sequence, mark: new Uint8Array(8) }]])
}
