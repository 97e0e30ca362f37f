import { spawnSync } from 'node:child_process'
import { Histogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { Tally } from './tally.ts'

const bounds = [0.005, 0.05, 0.5]
const observed = [0, 0.005, 0.0051, 0.05, 0.3, 0.5, 0.50001, 70]

test('it says the same as a histogram of prom-client', async () => {
  const registry = new Registry()
  const histogram = new Histogram({
    name: 'saved_seconds',
    help: 'Saved',
    buckets: bounds,
    registers: [registry],
  })
  const tally = new Tally('saved_seconds', 'Saved', bounds)
  expect(tally.text.trim()).toBe((await registry.metrics()).trim())
  for (const value of observed) {
    histogram.observe(value)
    tally.observe(value)
  }
  expect(tally.text.trim()).toBe((await registry.metrics()).trim())
})

test('Prometheus reads it', () => {
  const tally = new Tally('saved_seconds', 'Saved', bounds)
  for (const value of observed) tally.observe(value)
  const { status, error, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: tally.text })
  if (error) throw new Error('promtool is missing. Get it as root with: apt-get install -y prometheus')
  expect(String(stderr)).toBe('')
  expect(status).toBe(0)
})
