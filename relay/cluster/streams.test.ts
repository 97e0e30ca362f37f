import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import { freePort } from '../free-port.testing.ts'
import { type NatsServer, startNats } from './nats.testing.ts'
import { joinRegion, type Region } from './region.ts'
import { logOf, originsHere, provideMirror, provideStream, regionOf, ringOf, streamOf } from './streams.ts'

let east: NatsServer
let west: NatsServer
beforeAll(async () => {
  const port = await freePort()
  east = await startNats({ domain: 'east', leafs: { port, advertised: port } })
  west = await startNats({ domain: 'west', linkedTo: port })
})
afterAll(async () => {
  await west.stop()
  await east.stop()
})

const messageBytes = 10_000

test('a mirror has everything when its stream says so, and the whole of its stream', async () => {
  const [there, here] = [await joined(east, 'east'), await joined(west, 'west')]
  const [origin = ''] = await originsHere(there.manager)
  const name = streamOf(origin)
  for (let times = 0; times < 10; times++)
    await there.stream.publish(logOf('east', createSessionKeys().session), new Uint8Array(messageBytes))
  const ring = () => ringOf(here, origin)

  await here.manager.streams.add({
    name,
    mirror: { name, domain: 'east' },
    max_bytes: 4 * messageBytes,
  })
  await expect.poll(lastHere, { timeout: 10_000 }).toBe(10)
  expect((await ring())?.first).toBeGreaterThan(1)
  expect(await ring()).toMatchObject({ isWhole: false })

  await here.manager.streams.delete(name)
  // As when the first sessions were deleted.
  await there.manager.streams.purge(name, { seq: 4 })
  await provideMirror(here, 'east')
  await expect.poll(lastHere, { timeout: 10_000 }).toBe(10)
  expect(await ring()).toEqual({ first: 4, isWhole: true })
  await east.end()
  expect(await ring()).toEqual({ first: 4, isWhole: false })

  async function lastHere(): Promise<number> {
    return (await here.manager.streams.info(name)).state.last_seq
  }
}, 60_000)

test.each([
  { whose: 'of this store is behind', name: 'behind', named: -2, here: -3 },
  { whose: 'of whoever named it was ahead', name: 'ahead', named: 365, here: 2 },
])('a stream that lost something is taken for no young one while the clock $whose', async (clock) => {
  await east.restart()
  const day = 86_400_000
  const real = Date.now()
  const any = await joined(east, `any-${clock.name}`)
  await provideStream(any.manager, clock.name, real + clock.named * day)
  const region = await joined(east, clock.name)
  const [origin = ''] = (await originsHere(region.manager)).filter((each) => regionOf(each) === clock.name)
  for (let times = 0; times < 3; times++)
    await region.stream.publish(logOf(clock.name, createSessionKeys().session), new Uint8Array(messageBytes))
  await region.manager.streams.purge(streamOf(origin), { seq: 3 })
  const now = vi.spyOn(Date, 'now').mockReturnValue(real + clock.here * day)
  onTestFinished(() => now.mockRestore())
  expect(await ringOf(region, origin)).toEqual({ first: 3, isWhole: false })
})

test('a mirror from the first message on has everything, whether or not its region can be reached', async () => {
  await east.restart()
  const [there, here] = [await joined(east, 'north'), await joined(west, 'west')]
  const origin = (await originsHere(there.manager)).find((each) => regionOf(each) === 'north') ?? ''
  await there.stream.publish(logOf('north', createSessionKeys().session), new Uint8Array(messageBytes))
  const name = streamOf(origin)
  await here.manager.streams.add({ name, mirror: { name, domain: 'east' } })
  await expect.poll(async () => (await ringOf(here, origin))?.first, { timeout: 20_000 }).toBe(1)
  await east.end()
  expect(await ringOf(here, origin)).toEqual({ first: 1, isWhole: true })
}, 60_000)

test.each([
  ['bytes', { max_bytes: 4 * messageBytes }],
  ['messages', { max_msgs: 4 }],
  ['time', { max_age: 1_000_000_000, duplicate_window: 1_000_000_000 }],
])(
  'a stream that whoever runs it gave less %s has not everything once it lost some',
  async (limit, less) => {
    await east.restart()
    const region = await joined(east, `small${limit}`)
    const origin = (await originsHere(region.manager)).find((each) => regionOf(each) === region.name) ?? ''
    const say = () =>
      region.stream.publish(logOf(region.name, createSessionKeys().session), new Uint8Array(messageBytes))
    await region.manager.streams.update(streamOf(origin), less)
    for (let times = 0; times < 10; times++) await say()
    const ring = () => ringOf(region, origin)
    await expect.poll(async () => (await ring())?.first, { timeout: 5_000 }).toBeGreaterThan(1)
    expect(await ring()).toMatchObject({ isWhole: false })
  },
  60_000,
)

async function joined({ url }: NatsServer, name: string): Promise<Region> {
  const region = await joinRegion(url, name)
  onTestFinished(() => region.leave())
  return region
}
