import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Meters } from './meters.ts'
import { aStore as store } from './status.testing.ts'
import { StatusHistory } from './status-history.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function somewhere() {
  const meters = new Meters()
  return { meters, history: new StatusHistory(meters, { region: 'eu', role: 'both', regions: [] }) }
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

test('one process that is everything knows of no regions and no other processes', async () => {
  const { history } = somewhere()
  const stop = history.start()
  await vi.advanceTimersByTimeAsync(1)
  stop()
  const { regions, processes, fewest, samples } = history.status(0)
  expect({ regions, processes, fewest }).toEqual({ regions: [], processes: [], fewest: null })
  expect(samples[0]?.regions).toEqual({})
})

test('in a region each sample tells of the stores that are ready then, set regions first', async () => {
  let processes = [store({ region: 'eu', behind: { eu: 0, us: 7 } }), store({ region: 'asia' })]
  const regions = ['eu', 'us'].map((name) => ({ name, url: `https://${name}.example/` }))
  const history = new StatusHistory(new Meters(), { region: 'eu', role: 'relay', regions }, () => processes)
  const stop = history.start()
  await vi.advanceTimersByTimeAsync(1)
  processes = [store({ region: 'eu', isReady: false })]
  await vi.advanceTimersByTimeAsync(10_000)
  stop()
  const { samples, ...status } = history.status(0)
  expect(status).toMatchObject({ regions: ['eu', 'us'], fewest: { stores: 0, shards: '0-63' }, processes })
  expect(samples.map((sample) => sample.regions)).toEqual([
    {
      eu: { stores: 1, relays: 0, behind: 0 },
      us: { stores: 0, relays: 0, behind: null },
      asia: { stores: 1, relays: 0, behind: null },
    },
    { eu: { stores: 0, relays: 0, behind: null }, us: { stores: 0, relays: 0, behind: null } },
  ])
})
