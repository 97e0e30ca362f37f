import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { SessionId } from '../../shared/id.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { deaf } from '../testing.ts'
import { Lines } from './lines.ts'
import { type NatsServer, startNats } from './nats.testing.ts'
import { Presence } from './presence.ts'
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
  const beats = silence(there, 'beat', `room.${session}.here`)
  await expect.poll(() => present(east), { timeout: 20_000 }).toEqual([1])
  expect(present(west)).toEqual([1, 2])
  beats.mockRestore()
  await expect.poll(() => present(east), { timeout: 10_000 }).toEqual([1, 2])
}, 60_000)

test('who came or left while nobody could hear it is there, or gone, soon after', async () => {
  const { session } = createSessionKeys()
  const [here, there] = [await joined(), await joined()]
  const [east, west] = [started(here), started(there)]
  for (const bus of [east, west]) bus.subscribe(session, deaf)
  east.join(session, 1)
  west.join(session, 2)
  west.join(session, 3)
  const present = () => [...east.present(session)].sort()
  await expect.poll(present).toEqual([1, 2, 3])
  const lost = silence(there, `room.${session}.joined`, `room.${session}.left`)
  west.join(session, 4)
  west.leave(session, 2)
  await expect.poll(present, { timeout: 20_000 }).toEqual([1, 3, 4])
  expect(lost).toHaveBeenCalledWith(`room.${session}.joined`, expect.anything())
}, 60_000)

test('who was connected to a relay that has nobody left there is gone after a while, though it never said so', async () => {
  const { session } = createSessionKeys()
  const [here, there] = [await joined(), await joined()]
  const [east, west] = [present(here, session), present(there, session)]
  east.join(session, 1)
  west.join(session, 2)
  const inEast = () => [...east.of(session)].sort()
  await expect.poll(inEast).toEqual([1, 2])
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  expect(inEast()).toEqual([1, 2])
  west.close(session)
  await expect.poll(inEast, { timeout: 5_000 }).toEqual([1])
})

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

/** Who is there, told again a hundred times as often. */
function present(region: Region, session: SessionId): Presence {
  const lines = new Lines(region)
  const presence = new Presence(region, lines, { joined: () => {}, left: () => {} }, 10)
  const stop = lines.listen(session, {
    stated: () => {},
    became: () => {},
    aside: (kind, body) => {
      if (kind === 'joined') presence.heardJoined(session, Buffer.from(body))
      if (kind === 'here') presence.heardHere(session, Buffer.from(body))
    },
  })
  presence.open(session)
  onTestFinished(() => {
    stop()
    presence.stop()
  })
  return presence
}

/** Of what this relay says, this is not heard any more. */
function silence({ connection }: Region, ...subjects: string[]) {
  const publish = connection.publish.bind(connection)
  return vi.spyOn(connection, 'publish').mockImplementation((subject, ...rest) => {
    if (!subjects.includes(subject)) publish(subject, ...rest)
  })
}
