import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import { deaf } from '../testing.ts'
import { Lines } from './lines.ts'
import { type NatsServer, startNats } from './nats.testing.ts'
import { joinRegion, type Region } from './region.ts'
import { RegionBus } from './region-bus.ts'
import { RegionStore } from './region-store.ts'

let nats: NatsServer
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

test('a relay that was not heard for a while has its people again, though it heard the other one all the time', async () => {
  const { session } = createSessionKeys()
  const [here, there] = [await joined(), await joined()]
  const [east, west] = [started(here), started(there)]
  for (const bus of [east, west]) bus.subscribe(session, deaf)
  east.join(session, 1)
  west.join(session, 2)
  const present = (bus: RegionBus) => [...bus.present(session)].sort()
  for (const bus of [east, west]) await expect.poll(() => present(bus)).toEqual([1, 2])
  const beats = silence(there)
  await expect.poll(() => present(east), { timeout: 20_000 }).toEqual([1])
  expect(present(west)).toEqual([1, 2])
  beats.mockRestore()
  await expect.poll(() => present(east), { timeout: 10_000 }).toEqual([1, 2])
}, 60_000)

async function joined(): Promise<Region> {
  const region = await joinRegion(nats.url, 'east')
  onTestFinished(() => region.leave())
  return region
}

function started(region: Region): RegionBus {
  const lines = new Lines(region)
  const bus = new RegionBus(region, lines, new RegionStore(region, lines))
  onTestFinished(() => bus.close())
  return bus
}

/** Nobody hears any more that this relay is there. */
function silence({ connection }: Region) {
  const publish = connection.publish.bind(connection)
  return vi.spyOn(connection, 'publish').mockImplementation((subject, ...rest) => {
    if (subject !== 'beat') publish(subject, ...rest)
  })
}
