import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSessionKeys, keysFor } from '../shared/keys.ts'
import { BareClient } from './connections/bare-client.testing.ts'
import { started } from './fixtures.testing.ts'
import { someEnvelope, startRelay, type TestRelay } from './testing.ts'

let relay: TestRelay

beforeEach(async () => {
  relay = await startRelay()
})

afterEach(async () => {
  await relay.stop()
})

test('bob receives what alice appends, and alice hears that it is saved', async () => {
  const keys = createSessionKeys()
  const alice = await BareClient.join(relay.url, keys)
  const bob = await BareClient.join(relay.url, keysFor('member', keys))
  await alice.next('joined')
  const envelope = someEnvelope()
  const saved = await alice.save(envelope)
  expect(saved).toMatchObject({ type: 'saved', compact: undefined })
  const entry = await bob.next('entry')
  expect(entry.envelope).toEqual(envelope)
  expect(saved).toMatchObject({ cursor: entry.cursor })
  expect(alice.envelopes()).toEqual([])
})

test('carol, who joins later, gets the log and hears who is there', async () => {
  const keys = createSessionKeys()
  const alice = await BareClient.join(relay.url, keys)
  const envelopes = [someEnvelope(), someEnvelope(1024), someEnvelope(65_536)]
  for (const envelope of envelopes) await alice.save(envelope)
  const carol = await BareClient.join(relay.url, keysFor('observer', keys))
  expect(carol.envelopes()).toEqual(envelopes)
  expect(carol.frames.map(({ type }) => type)).toEqual([
    'challenge',
    'entry',
    'entry',
    'entry',
    'joined',
    'caughtUp',
  ])
  const caughtUp = carol.frames.at(-1)
  expect(caughtUp).toMatchObject({ log: 'kept', resumed: false })
})

test('signals reach everybody else, or only the one they are for', async () => {
  const keys = createSessionKeys()
  const alice = await BareClient.join(relay.url, keys)
  const bob = await BareClient.join(relay.url, keys)
  const carol = await BareClient.join(relay.url, keys)
  const { connection: bobsConnection } = await alice.next('joined')
  const toBob = someEnvelope()
  const toAll = someEnvelope()
  alice.send({ type: 'signal', to: bobsConnection, envelope: toBob })
  alice.send({ type: 'signal', to: 0, envelope: toAll })
  expect((await bob.next('signal')).envelope).toEqual(toBob)
  expect((await bob.next('signal')).envelope).toEqual(toAll)
  expect((await carol.next('signal')).envelope).toEqual(toAll)
})

test('a session that sends more to all than is passed on for it waits, and loses nothing', async () => {
  const bytesOfSession = { perSecond: 2 << 20, burst: 1 << 20 }
  const busy = await started({ limits: { bytesOfSession } })
  const keys = createSessionKeys()
  const alice = await BareClient.join(busy.url, keys)
  const others = await Promise.all(Array.from({ length: 4 }, () => BareClient.join(busy.url, keys)))
  const envelopes = Array.from({ length: 12 }, () => someEnvelope(65_536))
  const began = performance.now()
  for (const envelope of envelopes) alice.send({ type: 'signal', to: 0, envelope })
  const last = alice.save(someEnvelope())
  for (const other of others) {
    for (const envelope of envelopes) {
      expect(Buffer.compare((await other.next('signal')).envelope, envelope)).toBe(0)
    }
  }
  // Three megabytes: one is passed on at once.
  expect(performance.now() - began).toBeGreaterThan(600)
  expect(await last).toMatchObject({ type: 'saved' })
})

test('everybody hears who joined and who left', async () => {
  const keys = createSessionKeys()
  const alice = await BareClient.join(relay.url, keys)
  const bob = await BareClient.join(relay.url, keys)
  const { connection } = await alice.next('joined')
  await bob.leave()
  expect(await alice.next('left')).toEqual({ type: 'left', connection })
})

test('who comes back with a cursor gets only what is new', async () => {
  const keys = createSessionKeys()
  const alice = await BareClient.join(relay.url, keys)
  await alice.save(someEnvelope())
  const saved = await alice.save(someEnvelope())
  const cursor = saved.type === 'saved' ? saved.cursor : new Map()
  await alice.leave()
  const bob = await BareClient.join(relay.url, keys)
  const news = someEnvelope()
  await bob.save(news)
  const back = await BareClient.join(relay.url, keys, { cursor })
  expect(back.envelopes()).toEqual([news])
  expect(back.frames.at(-1)).toMatchObject({ type: 'caughtUp', resumed: true })
})
