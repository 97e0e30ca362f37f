import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { createSessionKeys, type SessionKeys } from '../../shared/keys.ts'
import { BareClient } from '../bare-client.testing.ts'
import { type NatsServer, startNats } from '../cluster/nats.testing.ts'
import { Meters } from '../meters.ts'
import { someEnvelope, startRelay, type TestRelay } from '../testing.ts'
import { type RunningProxy, startCaddy, startNginx, trustAnybody } from './proxies.testing.ts'

const sessions = 16
/** Besides the one the tests measure by: nothing hangs on where a page lies but its path. */
const proxies = [
  { name: 'nginx', path: '', start: startNginx },
  { name: 'nginx under a path', path: '/poker', start: (relays: number[]) => startNginx(relays, '/poker/') },
  { name: 'Caddy', path: '', start: (relays: number[]) => startCaddy('Caddyfile', relays) },
  {
    name: 'Caddy under a path',
    path: '/poker',
    start: (relays: number[]) => startCaddy('Caddyfile.sub-path', relays),
  },
]

let nats: NatsServer
let regions = 0
let members: { relay: TestRelay; meters: Meters }[]

beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

beforeEach(async () => {
  const region = `region${++regions}`
  const store = await startRelay({ natsUrl: nats.url, region, role: 'store' })
  members = await Promise.all(
    [0, 1].map(async () => {
      const meters = new Meters()
      return {
        meters,
        relay: await startRelay({ natsUrl: nats.url, region, role: 'relay', trustProxy: true, meters }),
      }
    }),
  )
  onTestFinished(async () => {
    await Promise.all(members.map(({ relay }) => relay.stop()))
    await store.stop()
  })
})

test.each(proxies)(
  'behind $name each session is at one of two relays, and when one goes its people are at the other',
  async ({ path, start }) => {
    trustAnybody()
    const proxy = await start(members.map(({ relay }) => relay.port))
    const all = Array.from({ length: sessions }, createSessionKeys)
    await meet(proxy, path, all)
    const rooms = await roomsOfEach()
    expect(rooms.reduce((sum, count) => sum + count)).toBe(sessions)
    expect(Math.min(...rooms)).toBeGreaterThan(0)

    const [gone] = members.splice(0, 1)
    await gone?.relay.stop()
    await meet(proxy, path, all)
    // Those who were there already are, too: nobody was moved who did not have to.
    expect(await roomsOfEach()).toEqual([sessions])
  },
)

/** Alice and bob of each session hear each other, and stay. */
async function meet({ url }: RunningProxy, path: string, all: readonly SessionKeys[]): Promise<void> {
  for (const keys of all) {
    const [alice, bob] = [await joined(url, path, keys), await joined(url, path, keys)]
    const envelope = someEnvelope()
    alice.append(envelope)
    await bob.until(() => bob.envelopes().some((other) => Buffer.compare(other, envelope) === 0))
  }
}

async function joined(url: string, path: string, keys: SessionKeys): Promise<BareClient> {
  const client = await BareClient.join(url + path, keys, { origin: url })
  onTestFinished(() => client.socket.terminate())
  return client
}

function roomsOfEach(): Promise<number[]> {
  return Promise.all(members.map(async ({ meters }) => (await meters.figure('facedown_rooms')) ?? Number.NaN))
}
