import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { createSessionKeys, type SessionKeys } from '../../shared/keys.ts'
import { type NatsServer, startNats } from '../cluster/nats.testing.ts'
import { BareClient } from '../connections/bare-client.testing.ts'
import { started } from '../fixtures.testing.ts'
import { freePort } from '../free-port.testing.ts'
import { Meters } from '../operators/meters.ts'
import { someEnvelope, startRelay, type TestRelay } from '../testing.ts'
import { startNameServer } from './name-server.testing.ts'
import { proxies, type RunningProxy, startHaproxy, trustAnybody } from './proxies.testing.ts'

const sessions = 16

let nats: NatsServer
let regions = 0
let region: string
let store: TestRelay
let members: { relay: TestRelay; meters: Meters }[]

beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

beforeEach(async () => {
  region = `region${++regions}`
  store = await startRelay({ natsUrl: nats.url, region, role: 'store' })
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

test('behind HAProxy nobody gets to a store that has the address of a relay', async () => {
  const [relay] = members.map(({ relay }) => relay)
  const proxy = await startHaproxy([`127.0.0.1:${relay?.port}`, `127.0.0.1:${store.port}`])
  await expect.poll(() => proxy.said, { timeout: 10_000 }).toContain('Server relays/relay2 is DOWN')
  expect(proxy.said).not.toContain('relays/relay1 is DOWN')
  await meet(proxy, '', Array.from({ length: sessions }, createSessionKeys))
})

test('HAProxy asks another relay when one dies over a question, and sends nothing twice that was posted', async () => {
  const asked: string[] = []
  const dying = createServer(({ method, url, socket }, answer) => {
    if (url === '/readyz') return answer.end('The relay is ready.\n')
    asked.push(`${method}`)
    socket.destroy()
  })
  dying.listen(0, '127.0.0.1')
  await once(dying, 'listening')
  onTestFinished(() => void dying.close())
  const there = dying.address() as AddressInfo
  const [relay] = members.map(({ relay }) => relay)
  const { url } = await startHaproxy([`127.0.0.1:${relay?.port}`, `127.0.0.1:${there.port}`])
  const ask = async (method: string) => {
    const answers = Array.from({ length: 40 }, (_, at) => statusOf(`${url}/assets/${at}`, method))
    return (await Promise.all(answers)).filter((status) => status === 502).length
  }
  expect(await ask('GET')).toBe(0)
  expect(asked.length).toBeGreaterThan(5)
  asked.length = 0
  expect(await ask('POST')).toBe(asked.length)
  expect(asked.length).toBeGreaterThan(5)
})

test('a relay that comes back at another address is found there by HAProxy, and one that is not there yet later', async () => {
  const port = await freePort()
  const names = await startNameServer({ relay1: '127.0.0.1' })
  const settings = { natsUrl: nats.url, region, role: 'relay', trustProxy: true, port } as const
  const before = await startRelay(settings)
  const proxy = await startHaproxy([`relay1:${port}`, `relay2:${port}`], names.port)
  const keys = createSessionKeys()
  await expect.poll(() => isThere(proxy), { timeout: 10_000 }).toBe(true)
  await meet(proxy, '', [keys])

  await before.stop()
  await expect.poll(() => isThere(proxy), { timeout: 10_000 }).toBe(false)
  await started({ ...settings, host: '127.0.0.2' })
  names.tell('relay1', '127.0.0.2')
  await expect.poll(() => isThere(proxy), { timeout: 10_000 }).toBe(true)
  await meet(proxy, '', [keys])

  names.tell('relay2', '127.0.0.2')
  await expect.poll(() => proxy.said, { timeout: 10_000 }).toContain("Server relays/relay2 ('relay2') is UP")
})

/** By a connection of its own: on one that was used before, a balancer leaves it to the browser to ask again. */
async function statusOf(url: string, method: string): Promise<number | undefined> {
  const [answer] = await once(request(url, { method, agent: false }).end(), 'response')
  answer.resume()
  return answer.statusCode
}

async function isThere({ url }: RunningProxy): Promise<boolean> {
  return (await fetch(`${url}/config.json`)).ok
}

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
