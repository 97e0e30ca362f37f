/** The client's side of the link without WebSockets, against a relay, over a network that does what networks do. */
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { PollingSocket } from '../client/link/polling-socket.ts'
import { BareClient } from '../relay/connections/bare-client.testing.ts'
import { closeCodes } from '../relay/connections/close-words.ts'
import { someEnvelope, startRelay, type TestRelay } from '../relay/testing.ts'
import { createSessionKeys, helloStatement, roleSeed, sign } from '../shared/keys.ts'
import { Chance } from '../shared/testing.ts'
import { decodeFromRelay, encodeFromClient, type FromClient, type FromRelay } from '../shared/wire.ts'

let relay: TestRelay

beforeEach(async () => {
  relay = await startRelay()
})

afterEach(async () => {
  await relay.stop()
})

const keys = createSessionKeys()
type Network = (ask: () => Promise<Response>, init?: RequestInit) => Promise<Response>

/** Says hello, and keeps what it hears. */
class Polling {
  readonly frames: FromRelay[] = []
  readonly socket: PollingSocket
  readonly closed: Promise<{ code: number; reason: string }>
  #changed = () => {}

  constructor(network: Network = (ask) => ask(), origin = relay.url) {
    const url = `${relay.url.replace('http', 'ws')}/sync/${keys.session}`
    this.socket = new PollingSocket(url, (to, init) =>
      network(() => fetch(to, { ...init, headers: { ...init?.headers, Origin: origin } }), init),
    )
    this.closed = new Promise((resolve) => {
      this.socket.onclose = resolve
    })
    this.socket.onmessage = ({ data }) => {
      const frame = data instanceof ArrayBuffer && decodeFromRelay(new Uint8Array(data))
      if (!frame) throw new Error('Not a frame of a relay')
      this.frames.push(frame)
      if (frame.type === 'challenge') this.#greet(frame.nonce)
      this.#changed()
    }
  }

  async until(fulfils: (frames: readonly FromRelay[]) => boolean): Promise<void> {
    while (!fulfils(this.frames)) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
  }

  async joined(): Promise<this> {
    await this.until((frames) => frames.some(({ type }) => type === 'caughtUp'))
    return this
  }

  send(message: FromClient): void {
    this.socket.send(encodeFromClient(message) as Uint8Array<ArrayBuffer>)
  }

  #greet(nonce: Uint8Array): void {
    const { role, publicKeys } = keys
    const signature = sign(helloStatement(nonce, keys.session, relay.url), roleSeed(keys))
    this.send({ type: 'hello', version: 1, role, publicKeys, signature, generation: 0, cursor: new Map() })
  }
}

const seed = Number(process.env.SEED ?? 1)

test(`whatever a network loses or repeats, everything arrives once and in order, in both directions (SEED=${seed})`, async () => {
  const chance = new Chance(seed)
  const faults = { before: 0, after: 0, twice: 0, proxy: 0, page: 0 }
  let isCalm = true
  let inARow = 0
  const happens = (fault: keyof typeof faults) => {
    if (isCalm || inARow > 2 || !chance.happens(0.07)) return false
    faults[fault]++
    if (fault !== 'twice') inARow++
    return true
  }
  const network: Network = async (ask) => {
    if (happens('before')) throw new TypeError('Failed to fetch')
    if (happens('proxy')) return new Response('Bad gateway', { status: 502 })
    if (happens('page')) return new Response('<h1>Please log in</h1>')
    if (happens('twice')) void ask().catch(() => {})
    const answer = await ask()
    if (happens('after')) throw new TypeError('Failed to fetch')
    inARow = 0
    return answer
  }
  const alice = await new Polling(network).joined()
  const bob = await BareClient.join(relay.url, keys)
  const reader = await BareClient.join(relay.url, keys)
  isCalm = false
  const ofAlice: Uint8Array[] = []
  const ofBob: Uint8Array[] = []
  const isSaved = (ref: number) => (frame: FromRelay) => frame.type === 'saved' && frame.ref === ref
  for (let ref = 1; ref <= 60; ref++) {
    const [envelope, other] = [0, 1].map(() => someEnvelope(chance.happens(0.1) ? 65_000 : 256))
    if (!envelope || !other) throw new Error('There are two')
    ofAlice.push(envelope)
    ofBob.push(other)
    alice.send({ type: 'append', ref, envelope })
    await bob.save(other)
    if (ref % 3 === 0) await alice.until((frames) => frames.some(isSaved(ref)))
  }
  isCalm = true
  await alice.until((frames) => frames.filter(({ type }) => type === 'entry').length >= 60)
  await reader.until(() => reader.envelopes().length >= 120)
  const heard = alice.frames.flatMap((frame) => (frame.type === 'entry' ? [frame.envelope] : []))
  const saved = alice.frames.flatMap((frame) => (frame.type === 'saved' ? [frame.ref] : []))
  expect(hex(heard)).toEqual(hex(ofBob))
  expect(saved).toEqual(ofAlice.map((_, at) => at + 1))
  const log = hex((await BareClient.join(relay.url, keys)).envelopes())
  expect(log).toHaveLength(120)
  expect(log.filter((one) => hex(ofAlice).includes(one))).toEqual(hex(ofAlice))
  expect(Object.entries(faults).filter(([, count]) => count === 0)).toEqual([])
  alice.socket.close()
})

test('a snapshot larger than any request goes up, and comes down, in one piece', async () => {
  const alice = await new Polling().joined()
  const change = someEnvelope()
  alice.send({ type: 'append', ref: 1, envelope: change })
  await alice.until((frames) => frames.some(({ type }) => type === 'saved'))
  const saved = alice.frames.find((frame) => frame.type === 'saved')
  const envelope = someEnvelope(1_000_000)
  alice.send({ type: 'snapshot', covers: saved?.cursor ?? new Map(), replaces: undefined, envelope })
  alice.send({ type: 'append', ref: 2, envelope: change })
  await alice.until((frames) => frames.some((frame) => frame.type === 'saved' && frame.ref === 2))
  const bob = await new Polling().joined()
  const snapshot = bob.frames.find((frame) => frame.type === 'snapshot')
  expect(hex([snapshot?.envelope ?? new Uint8Array()])).toEqual(hex([envelope]))
  for (const { socket } of [alice, bob]) socket.close()
})

test('who closes is gone for the others at once', async () => {
  const alice = await BareClient.join(relay.url, keys)
  const bob = await new Polling().joined()
  const { connection } = await alice.next('joined')
  bob.socket.close()
  expect(await alice.next('left')).toEqual({ type: 'left', connection })
})

test('what was sent before it was closed arrives, however much it is, and only then it is gone', async () => {
  const reader = await BareClient.join(relay.url, keys)
  const bob = await new Polling().joined()
  const { connection } = await reader.next('joined')
  const envelopes = [1, 2, 3].map(() => someEnvelope(65_000))
  envelopes.forEach((envelope, at) => {
    bob.send({ type: 'append', ref: at + 1, envelope })
  })
  bob.socket.close()
  bob.send({ type: 'append', ref: 4, envelope: someEnvelope() })
  expect(await reader.next('left')).toEqual({ type: 'left', connection })
  expect(hex(reader.envelopes())).toEqual(hex(envelopes))
  expect(await bob.closed).toEqual({ code: 1000, reason: '' })
})

test('what is on its way when the page goes outlives it', async () => {
  const page = new EventTarget()
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
  vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page))
  onTestFinished(() => {
    vi.unstubAllGlobals()
  })
  const reader = await BareClient.join(relay.url, keys)
  let isGoing = false
  const cutWithPage: Network = (ask, init) =>
    isGoing && !init?.keepalive ? Promise.reject(new TypeError('Failed to fetch')) : ask()
  const bob = await new Polling(cutWithPage).joined()
  isGoing = true
  const envelope = someEnvelope()
  bob.send({ type: 'append', ref: 1, envelope })
  page.dispatchEvent(new Event('pagehide'))
  expect((await reader.next('entry')).envelope).toEqual(new Uint8Array(envelope))
  await reader.next('left')
  expect(bob.socket.readyState).toBe(3)
})

test('why a relay refuses is the code and the words of the close, as with a WebSocket', async () => {
  const evil = new Polling(undefined, 'http://evil.example')
  const { code, words } = closeCodes.origin
  expect(await evil.closed).toEqual({ code, reason: words })
  const mallory = await new Polling().joined()
  mallory.socket.send(Uint8Array.of(99))
  expect((await mallory.closed).code).toBe(closeCodes.malformed.code)
})

test('a relay that stops ends the connection, and a relay that forgot it, too', async () => {
  const alice = await new Polling().joined()
  await relay.stop()
  expect((await alice.closed).code).toBe(1006)
  relay = await startRelay({ port: relay.port })
  const bob = await new Polling().joined()
  await relay.stop()
  relay = await startRelay({ port: relay.port })
  expect((await bob.closed).code).toBe(1006)
})

test('a network that lets nothing through ends it within seconds', async () => {
  let isCut = false
  const alice = await new Polling(async (ask) => {
    if (isCut) throw new TypeError('Failed to fetch')
    return ask()
  }).joined()
  const bob = await BareClient.join(relay.url, keys)
  await alice.until((frames) => frames.some(({ type }) => type === 'joined'))
  isCut = true
  await bob.save(someEnvelope()) // the answer that waits gets through, the next request does not
  expect((await alice.closed).code).toBe(1006)
})

function hex(envelopes: readonly Uint8Array[]): string[] {
  return envelopes.map((envelope) => Buffer.from(envelope).toString('hex'))
}
