import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Meters } from './meters.ts'
import { StatusHistory } from './status-history.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function somewhere() {
  const meters = new Meters()
  return { meters, history: new StatusHistory(meters, { region: 'eu', role: 'both' }) }
}

test('each sample tells of the ten seconds before it', async () => {
  const { meters, history } = somewhere()
  meters.watch('facedown_connections', 'Open', () => 7)
  const stop = history.start()
  await vi.advanceTimersByTimeAsync(1)
  for (let change = 0; change < 50; change++) meters.appended({ outcome: 'saved', compact: undefined }, 30)
  meters.appended({ outcome: 'refused', reason: 'full' }, 1)
  meters.fannedOut(0.3)
  meters.refused('origin')
  await vi.advanceTimersByTimeAsync(10_000)
  await vi.advanceTimersByTimeAsync(10_000)
  stop()
  const [first, busy, quiet, ...rest] = history.status(0).samples
  expect(rest).toEqual([])
  expect(first?.figures).toMatchObject({ connections: 7, savedPerSecond: 0, busy: null })
  expect(busy?.figures.savedPerSecond).toBeCloseTo(5, 1)
  expect(busy?.figures.unsavedPerSecond).toBeCloseTo(0.1, 2)
  expect(busy?.figures.savedP99).toBeGreaterThan(0.025)
  expect(busy?.figures.savedP99).toBeLessThan(0.05)
  expect(busy?.figures.fanOutP50).toBeLessThan(0.0005)
  expect(busy?.refusals).toEqual({ origin: 1 })
  expect(quiet?.figures).toMatchObject({ savedPerSecond: 0, savedP99: null, databaseBytes: null })
  expect(quiet?.refusals).toEqual({})
})

test('an hour is kept and no more, and nothing is looked at after the stop', async () => {
  const { history } = somewhere()
  const stop = history.start()
  await vi.advanceTimersByTimeAsync(2 * 3_600_000)
  const { samples, startedAt } = history.status(0)
  expect(samples).toHaveLength(360)
  expect((samples[0]?.time ?? 0) - startedAt).toBeGreaterThan(3_599_000)
  stop()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(history.status(0).samples).toEqual(samples)
  expect(history.status(samples.at(-2)?.time ?? 0).samples).toEqual(samples.slice(-1))
})
