import { expect, test } from 'vitest'
import { createSessionKeys, keysFor } from '../../shared/keys.ts'
import { started } from '../fixtures.testing.ts'
import { someEnvelope } from '../testing.ts'
import { BareClient, openingStatus } from './bare-client.testing.ts'
import { closeCodes } from './close-words.ts'

const keys = createSessionKeys()
const member = keysFor('member', keys)

test.each([
  ['append', 65_537],
  ['append', (1 << 20) + 5000],
  ['signal', 65_537],
  ['snapshot', (1 << 20) + 1],
] as const)('the envelope of a frame %s is too large with %i bytes', async (type, length) => {
  const { url } = await started()
  const mallory = await BareClient.join(url, keys)
  const envelope = someEnvelope(length)
  mallory.send({ type, ref: 1, to: 0, covers: new Map(), replaces: undefined, envelope })
  expect(await mallory.closed).toEqual(closeCodes.tooLarge)
})

test('who sends too fast is asked for a pause, and nobody else notices', async () => {
  const { url } = await started({ limits: { framesOfConnection: { perSecond: 1, burst: 20 } } })
  const mallory = await BareClient.join(url, keys)
  const bob = await BareClient.join(url, createSessionKeys())
  for (let sent = 0; sent < 30; sent++) mallory.send({ type: 'signal', to: 0, envelope: someEnvelope() })
  expect(await mallory.closed).toEqual(closeCodes.tooFast)
  expect(await bob.save(someEnvelope())).toMatchObject({ type: 'saved' })
})

test('a session as a whole may not send too fast', async () => {
  const { url } = await started({ limits: { framesOfSession: { perSecond: 1, burst: 20 } } })
  const clients = await Promise.all(Array.from({ length: 3 }, () => BareClient.join(url, keys)))
  for (let sent = 0; sent < 10; sent++) {
    for (const client of clients) client.send({ type: 'signal', to: 0, envelope: someEnvelope() })
  }
  expect(await Promise.race(clients.map(({ closed }) => closed))).toEqual(closeCodes.tooFast)
})

test('an address may not open connections too fast', async () => {
  const { url } = await started({ limits: { connectionsOfAddress: { perSecond: 0.001, burst: 2 } } })
  await BareClient.join(url, keys)
  await BareClient.join(url, keys)
  expect(await openingStatus(url, `/sync/${keys.session}`)).toBe(429)
})

test('an address may not have too many connections at once', async () => {
  const { url } = await started({ limits: { openOfAddress: 1 } })
  const alice = await BareClient.join(url, keys)
  expect(await openingStatus(url, `/sync/${keys.session}`)).toBe(429)
  const bob = await BareClient.join(url, keys).catch(() => undefined)
  expect(bob).toBeUndefined()
  await alice.leave()
  await BareClient.join(url, keys)
})

test('a relay with all the connections it can serve says so', async () => {
  const { url } = await started({ limits: { open: 1 } })
  await BareClient.join(url, keys)
  expect(await new BareClient(url, keys).closed).toEqual(closeCodes.full)
})

test('who does not read is closed without holding up others, and resumes by cursor', async () => {
  const { url } = await started()
  const alice = await BareClient.join(url, keys)
  const bob = await BareClient.join(url, member)
  const carol = await BareClient.join(url, member)
  await alice.save(someEnvelope())
  const { cursor } = await bob.next('entry')
  bob.socket.pause()
  let saved = 0
  let isBobThere = true
  void alice.next('left').then(() => {
    isBobThere = false
  })
  while (isBobThere && saved < 300) {
    expect(await alice.save(someEnvelope(65_536))).toMatchObject({ type: 'saved' })
    saved += 1
  }
  expect(isBobThere).toBe(false)
  await carol.until((frames) => frames.filter(({ type }) => type === 'entry').length === saved + 1)
  bob.socket.resume()
  expect((await bob.closed).code).toBe(closeCodes.tooSlow.code)
  const back = await BareClient.join(url, member, { cursor })
  expect(back.envelopes()).toHaveLength(saved)
  expect(back.frames.at(-1)).toMatchObject({ type: 'caughtUp', resumed: true })
})
