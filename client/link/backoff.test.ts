import { expect, test } from 'vitest'
import { Backoff } from './backoff.ts'

const clients = 1000

test.each([1, 2, 4])(
  'after %i failures a thousand clients come back spread out, not in waves',
  (failures) => {
    const delays = Array.from({ length: clients }, () => {
      const backoff = new Backoff()
      for (let failed = 0; failed < failures; failed++) backoff.failed()
      return backoff.next()
    })
    const most = 500 * 2 ** failures
    expect(Math.max(...delays)).toBeLessThanOrEqual(most)
    for (let tenth = 0; tenth < 10; tenth++) {
      const within = delays.filter((delay) => Math.floor((delay / most) * 10) === tenth)
      expect(within.length).toBeGreaterThan(clients / 20)
      expect(within.length).toBeLessThan(clients / 5)
    }
  },
)

test('nobody waits longer than a quarter of a minute, however often it failed', () => {
  const backoff = new Backoff()
  for (let failed = 0; failed < 60; failed++) backoff.failed()
  const delays = Array.from({ length: clients }, () => backoff.next())
  expect(Math.max(...delays)).toBeLessThan(15_000)
  expect(Math.max(...delays)).toBeGreaterThan(14_000)
})

test('the first attempt is made at once, and who is told when to come back waits until then, once', () => {
  const backoff = new Backoff()
  expect(backoff.next()).toBe(0)
  backoff.startAfter(2000)
  backoff.failed()
  const delay = backoff.next()
  expect(delay).toBeGreaterThanOrEqual(2000)
  expect(delay).toBeLessThan(3000)
  expect(backoff.next()).toBeLessThan(1000)
})
