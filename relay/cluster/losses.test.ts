import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import { Losses } from './losses.ts'
import { type NatsServer, startNats } from './nats.testing.ts'
import { joinRegion, type Region } from './region.ts'
import { logOf, originsHere, provideStream, regionOf, streamOf } from './streams.ts'

// One server serves as the region and as the other one, whose JetStream has its name.
let nats: NatsServer
beforeAll(async () => {
  nats = await startNats({ domain: 'east' })
})
afterAll(() => nats.stop())

const twoDays = 2 * 86_400_000

test('of all holes that deletions have left in what a mirror has, its stream is asked once over the link', async () => {
  const region = await joined('west')
  await provideStream(region.manager, 'east', Date.now() - twoDays)
  const name = streamOf(
    (await originsHere(region.manager)).find((origin) => regionOf(origin) === 'east') ?? '',
  )
  const remove = (seq: number) => region.manager.streams.deleteMessage(name, seq)
  const say = async () => {
    for (let times = 0; times < 10; times++)
      await region.stream.publish(logOf('east', createSessionKeys().session), 'something')
  }
  const asked = questionsTo(region, 'east')
  const losses = new Losses(region, name.slice('log-'.length))
  await say()
  await region.manager.streams.purge(name, { seq: 3 })
  for (const seq of [5, 7, 9]) await remove(seq)
  for (const seq of [5, 7, 9]) expect(await losses.areBehind(seq - 1, seq + 1)).toBe(false)
  expect(asked()).toBe(1)
  expect(await losses.areBehind(1, 3)).toBe(true)

  await say()
  await remove(15)
  expect(await losses.areBehind(14, 16)).toBe(false)
  expect(asked()).toBe(2)
  await region.manager.streams.purge(name, { seq: 12 })
  expect(await losses.areBehind(8, 12)).toBe(true)
})

async function joined(name: string): Promise<Region> {
  const region = await joinRegion(nats.url, name)
  onTestFinished(() => region.leave())
  return region
}

/** How many there were since. */
function questionsTo({ connection }: Region, domain: string): () => number {
  const request = vi.spyOn(connection, 'request')
  return () =>
    request.mock.calls.filter(([subject]) => subject.startsWith(`$JS.${domain}.API.STREAM.INFO`)).length
}
