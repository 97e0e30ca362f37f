import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import { someEnvelope } from '../testing.ts'
import { checkStore } from './check-store.ts'
import { type NatsServer, startNats } from './nats.testing.ts'
import { joinRegion, type Region } from './region.ts'
import { encodeStatement } from './statement.ts'
import { logOf, originsHere, streamOf } from './streams.ts'

let nats: NatsServer
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

const { session } = createSessionKeys()
const statements = 2_500
let region: Region
let origin: string
beforeEach(async () => {
  const joined = await joinRegion(nats.url, 'east')
  region = joined
  onTestFinished(() => joined.leave())
  origin = (await originsHere(region.manager))[0] ?? ''
})

test('a store is ready once it has nearly caught up with what its stream still has', async () => {
  const message = { type: 'append', ref: 0, envelope: someEnvelope() } as const
  const statement = encodeStatement({ author: 1, message })
  for (let said = 0; said < statements; said += 100)
    await Promise.all(
      Array.from({ length: 100 }, () => region.stream.publish(logOf('east', session), statement)),
    )
  expect(await outcomeAt(0)).toBe('refused')
  expect(await outcomeAt(statements - 1_000)).toBe('ready')
  expect(await outcomeAt(statements)).toBe('ready')
  await region.manager.streams.purge(streamOf(origin))
  expect(await outcomeAt(0)).toBe('ready')
}, 30_000)

test('it is not ready while NATS cannot be reached, has not got its stream, or its disk refuses', async () => {
  expect(await outcomeAt(0)).toBe('ready')
  expect((await checkStore(region, [kept(0, 'refused')])).outcome).toBe('refused')
  expect((await checkStore({ ...region, isConnected: false }, [kept(0)])).outcome).toBe('refused')
  const lost = { ...kept(0), store: { ...kept(0).store, origin: 'east-lost' } }
  expect((await checkStore(region, [lost])).outcome).toBe('refused')
})

test('what it only reads needs no stream', async () => {
  const old = { store: { ...kept(0).store, origin: 'east-old' }, follower: undefined }
  expect((await checkStore(region, [kept(0), old])).outcome).toBe('ready')
})

async function outcomeAt(upTo: number): Promise<string> {
  return (await checkStore(region, [kept(upTo)])).outcome
}

function kept(upTo: number, outcome: 'ready' | 'refused' = 'ready') {
  const check = async () =>
    outcome === 'ready' ? ({ outcome } as const) : ({ outcome, reason: 'full' } as const)
  return { store: { origin, check }, follower: { upTo } }
}
