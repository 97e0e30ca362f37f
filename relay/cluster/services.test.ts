import { rmSync } from 'node:fs'
import { connect } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import type { Status } from '../../shared/status.ts'
import { processesAt, tellWho } from '../commands/who.ts'
import { BareClient } from '../connections/bare-client.testing.ts'
import { Meters } from '../operators/meters.ts'
import type { Role } from '../settings/config.ts'
import { shardWords } from '../store/shard.ts'
import { someEnvelope, startRelay, type TestRelay, temporaryFolder } from '../testing.ts'
import { version } from '../version.ts'
import { type NatsServer, startNats } from './nats.testing.ts'

const running = new Set<TestRelay>()
let nats: NatsServer
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

test('whoever asks NATS hears which relays and stores there are, what they keep and how they are', async () => {
  const relay = await started('relay')
  const store = await started('store', new Set([0, 1, 2, 40]))
  const rest = new Set(
    Array.from({ length: 64 }, (_, shard) => shard).filter((shard) => ![0, 1, 2, 40].includes(shard)),
  )
  await started('store', rest)
  const alice = await BareClient.join(relay.url, createSessionKeys())
  expect(await alice.save(someEnvelope())).toMatchObject({ type: 'saved' })

  const all = await processesAt(nats.url)
  expect(all.map(({ kind, shards }) => [kind, shards]).sort()).toEqual([
    ['relay', undefined],
    ['store', '0-2,40'],
    ['store', '3-39,41-63'],
  ])
  const [first] = all
  expect(first).toMatchObject({
    kind: 'relay',
    region: 'here',
    version,
    now: { connections: 1, rooms: 1, ready: true },
  })
  expect(all.reduce((sum, { requests }) => sum + requests, 0)).toBeGreaterThan(0)
  expect(await tellWho(nats.url, false)).toMatch(
    /^here relay .*, ready, .*connections 1, rooms 1\nhere store .*shards /,
  )

  await stop(store)
  expect(await processesAt(nats.url)).toHaveLength(2)
})

test('a relay hears unasked who is there and who has gone', async () => {
  const relay = await started('relay')
  const first = await started('store', new Set([1, 2]))
  await started('store')
  const seen = async () => {
    const answer = await fetch(new URL('/status/status.json', relay.url))
    const status: Status = JSON.parse(await answer.text())
    return status.processes
  }
  const told = async () =>
    (await seen()).map(({ kind, shards, isHere, isReady, isHeard }) =>
      [kind, shards, isHere && 'here', isReady && 'ready', isHeard && 'heard'].filter(Boolean).join(' '),
    )
  const [itself, whole] = ['relay here ready heard', 'store 0-63 ready heard']
  await expect
    .poll(async () => (await told()).sort(), { timeout: 20_000 })
    .toEqual([itself, whole, 'store 1-2 ready heard'])
  const [{ heardAt = 0, behind = {} } = {}] = (await seen()).filter(({ kind }) => kind === 'store')
  expect(Date.now() - heardAt).toBeLessThan(10_000)
  expect(behind).toEqual({ here: 0 })

  await stop(first)
  await expect.poll(async () => (await told()).sort(), { timeout: 5_000 }).toEqual([itself, whole])
  const stranger = await connect({ servers: nats.url })
  onTestFinished(() => stranger.close())
  for (const words of ['no JSON', '{}', '{"name":"facedown-store","endpoints":[{}]}'])
    stranger.publish('state', words)
  await stranger.flush()
  expect((await told()).sort()).toEqual([itself, whole])
}, 60_000)

test('a relay whose stores hang is among them, and not ready, whatever else answers there', async () => {
  await started('relay')
  const connection = await connect({ servers: nats.url })
  onTestFinished(() => connection.close())
  connection.subscribe('ask.here.*', { queue: 'store', callback: () => {} })
  connection.subscribe('$SRV.STATS', { callback: (_, message) => void message.respond('no JSON') })
  await connection.flush()
  expect(await processesAt(nats.url)).toMatchObject([{ kind: 'relay', now: { ready: false } }])
})

test('NATS’s own tools understand the answers', async () => {
  await started('both')
  const connection = await connect({ servers: nats.url })
  onTestFinished(() => connection.close())
  const ask = async (subject: string) =>
    (await connection.request(subject, '', { timeout: 2000 })).json<object>()
  const ping = (await ask('$SRV.PING.facedown-store')) as { id: string }
  expect(ping).toEqual({
    type: 'io.nats.micro.v1.ping_response',
    name: 'facedown-store',
    id: expect.any(String),
    version,
    metadata: { region: 'here', shards: '0-63' },
  })
  expect(await ask(`$SRV.INFO.facedown-store.${ping.id}`)).toMatchObject({
    type: 'io.nats.micro.v1.info_response',
    description: expect.any(String),
    endpoints: [{ name: 'ask', subject: 'ask.here.*', queue_group: 'store' }],
  })
  expect(await ask('$SRV.STATS.facedown-relay')).toMatchObject({
    type: 'io.nats.micro.v1.stats_response',
    started: expect.stringMatching(/^\d{4}-.*Z$/),
    endpoints: [
      { num_requests: 0, num_errors: 0, last_error: '', processing_time: 0, average_processing_time: 0 },
    ],
  })
})

test('relays and stores count what they wait for', async () => {
  const [relays, stores] = [new Meters(), new Meters()]
  const relay = await started('relay', undefined, relays)
  const store = await started('store', undefined, stores)
  const alice = await BareClient.join(relay.url, createSessionKeys())
  expect(await alice.save(someEnvelope())).toMatchObject({ type: 'saved' })
  await expect
    .poll(() => stores.text(), { timeout: 10_000 })
    .toContain('facedown_stream_lag_messages{region="here"} 0')
  expect(await relays.text()).toContain('facedown_silent_shards 0\n')
  await stop(store)
  for (let times = 0; times < 3; times++)
    await BareClient.join(relay.url, createSessionKeys()).catch(() => {})
  await expect.poll(() => relays.text(), { timeout: 20_000 }).toMatch(/facedown_silent_shards [1-9]/)
}, 60_000)

test('shards are written as they are set', () => {
  expect(shardWords(new Set([5]))).toBe('5')
  expect(shardWords(new Set([3, 1, 2, 40, 42, 41]))).toBe('1-3,40-42')
})

async function started(role: Role, shards?: ReadonlySet<number>, meters = new Meters()): Promise<TestRelay> {
  const dataDir = temporaryFolder()
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  const relay = await startRelay({
    natsUrl: nats.url,
    region: 'here',
    role,
    dataDir,
    meters,
    ...(shards && { shards }),
  })
  running.add(relay)
  onTestFinished(() => stop(relay))
  return relay
}

async function stop(relay: TestRelay): Promise<void> {
  if (running.delete(relay)) await relay.stop()
}
