import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Mirrors } from './mirrors.ts'
import { type NatsServer, startNats } from './nats.testing.ts'
import { joinRegion, type Region } from './region.ts'

// One server serves as the region and as the other one, whose JetStream has its name.
let nats: NatsServer
beforeAll(async () => {
  nats = await startNats({ domain: 'east' })
})
afterAll(() => nats.stop())

test('why NATS makes no mirror of a region is said once, and again after it made one', async () => {
  const region = await joined('west')
  await joined('east')
  // As if nothing of it were here, so that a mirror is asked for, of a name that is taken.
  const { streams } = region.manager
  const names = streams.names.bind(streams)
  let isRefused = true
  streams.names = (subject) => (isRefused && !subject ? empty() : names(subject))
  const failures: string[] = []
  const mirrors = new Mirrors(region, ['east', 'cut'], (error) => failures.push(String(error)))
  const provide = async () => {
    for (let times = 0; times < 5; times++) await mirrors.provide(() => undefined)
  }
  await provide()
  expect(failures).toEqual([expect.stringContaining('already in use')])
  isRefused = false
  await provide()
  expect(failures).toHaveLength(1)
  isRefused = true
  await provide()
  expect(failures).toHaveLength(2)
})

function empty(): ReturnType<Region['manager']['streams']['names']> {
  return [] as never
}

async function joined(name: string): Promise<Region> {
  const region = await joinRegion(nats.url, name)
  onTestFinished(() => region.leave())
  return region
}
