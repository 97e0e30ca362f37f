import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import * as Y from 'yjs'
import { Same } from './same.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** A device that had time to compare. */
function settled() {
  const same = new Same(
    new Y.Doc(),
    () => {},
    () => {},
  )
  onTestFinished(() => same.stop())
  same.disturb()
  vi.advanceTimersByTime(20_000)
  return same
}

test('somebody who does not say what they have hides no difference, and vouches for nothing', () => {
  const same = settled()
  expect(same.compare([same.own, 'something else', undefined])).toBe(false)
  expect(same.compare([same.own, undefined])).toBeUndefined()
  expect(same.compare([same.own, same.own])).toBe(true)
  expect(same.compare([])).toBeUndefined()
})

test('a difference counts once it lasts', () => {
  const same = settled()
  same.disturb()
  expect(same.compare(['something else'])).toBeUndefined()
  vi.advanceTimersByTime(3_000)
  expect(same.compare(['something else'])).toBeUndefined()
  vi.advanceTimersByTime(20_000)
  expect(same.compare(['something else'])).toBe(false)
})
