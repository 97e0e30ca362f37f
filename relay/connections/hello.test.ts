import { expect, test, vi } from 'vitest'
import { createSessionKeys, sessionIdOf } from '../../shared/keys.ts'
import { started } from '../fixtures.testing.ts'
import { BareClient, type BareOptions } from './bare-client.testing.ts'
import { closeCodes } from './close-words.ts'

const keys = createSessionKeys()

const forgeries: [string, BareOptions][] = [
  [
    'a signature with one bit changed',
    { hello: (hello) => ({ ...hello, signature: flip(hello.signature) }) },
  ],
  ['a signature for another role', { hello: (hello) => ({ ...hello, role: 'observer' }) }],
  [
    'keys that do not hash to the session',
    { hello: (hello) => ({ ...hello, publicKeys: flip(hello.publicKeys) }) },
  ],
  [
    'keys of a session of their own',
    { hello: (hello) => ({ ...hello, publicKeys: createSessionKeys().publicKeys }) },
  ],
  [
    'a key that is no point on the curve',
    { hello: (hello) => ({ ...hello, publicKeys: new Uint8Array(96) }) },
  ],
]

test.each(forgeries)('%s is forbidden', async (_, options) => {
  const { url } = await started()
  expect(await new BareClient(url, keys, options).closed).toEqual(closeCodes.forbidden)
})

test('the answer to another challenge, or for another page, is forbidden', async () => {
  const { url } = await started({ origins: ['http://one.example', 'http://two.example'] })
  const [one, two] = ['http://one.example', 'http://two.example']
  const hellos: Parameters<NonNullable<BareOptions['hello']>>[0][] = []
  await BareClient.join(url, keys, {
    origin: one,
    hello: (hello) => {
      hellos.push(hello)
      return hello
    },
  })
  const again = new BareClient(url, keys, { origin: one, hello: () => hellos[0] })
  expect(await again.closed).toEqual(closeCodes.forbidden)
  const elsewhere = new BareClient(url, keys, { origin: two, signedFor: one })
  expect(await elsewhere.closed).toEqual(closeCodes.forbidden)
  await BareClient.join(url, keys, { origin: two })
})

test('with a key for which anybody can sign nobody enters, once the relay has read libsodium', async () => {
  const { url } = await started()
  const neutral = new Uint8Array(32).fill(1, 0, 1)
  const publicKeys = Buffer.concat([neutral, keys.publicKeys.subarray(32)])
  const theirs = { ...keys, publicKeys, session: sessionIdOf(publicKeys) }
  const signature = new Uint8Array(64).fill(1, 0, 1)
  await vi.waitFor(async () => {
    const mallory = new BareClient(url, theirs, { hello: (hello) => ({ ...hello, signature }) })
    const entered = mallory.next('caughtUp').then(mallory.socket.terminate.bind(mallory.socket))
    expect(await Promise.race([mallory.closed, entered])).toEqual(closeCodes.forbidden)
  })
})

test('another version of the app is told to reload', async () => {
  const { url } = await started()
  const alice = new BareClient(url, keys, { hello: (hello) => ({ ...hello, version: 2 }) })
  expect(await alice.closed).toEqual(closeCodes.version)
})

test.each([
  ['evil.example', 'http://evil.example'],
  ['null', 'null'],
  ['missing', null],
  ['a suffix', 'http://poker.example.evil.example'],
  ['a prefix', 'http://poker.exampl'],
  ['another scheme', 'https://poker.example'],
  ['another port', 'http://poker.example:81'],
])('a page of another origin is not served: %s', async (_, origin) => {
  const { url } = await started({ origins: ['http://poker.example'] })
  const mallory = new BareClient(url, keys, { origin })
  expect(await mallory.closed).toEqual(closeCodes.origin)
  expect(mallory.frames.map(({ type }) => type)).toEqual(['refuse'])
})

test('without ORIGINS a page is served from the host it came from and from nowhere else', async () => {
  const { url } = await started()
  await BareClient.join(url, keys)
  for (const origin of [`${url}0`, 'null', null, 'http://localhost.evil.example']) {
    expect(await new BareClient(url, keys, { origin }).closed).toEqual(closeCodes.origin)
  }
})

test('who says nothing is told so and closed', async () => {
  const { url } = await started({ limits: { helloMs: 200 } })
  expect(await new BareClient(url, keys, { hello: () => undefined }).closed).toEqual(closeCodes.lateHello)
})

test('before the hello no large frame is taken', async () => {
  const { url } = await started()
  const mallory = new BareClient(url, keys, { hello: () => undefined })
  await mallory.next('challenge')
  mallory.socket.send(new Uint8Array(5000))
  expect(await mallory.closed).toEqual(closeCodes.tooLarge)
})

test('a second hello is malformed', async () => {
  const { url } = await started()
  const mallory = await BareClient.join(url, keys)
  mallory.send({
    type: 'hello',
    version: 1,
    role: 'owner',
    publicKeys: new Uint8Array(96),
    signature: new Uint8Array(64),
    generation: 0,
    cursor: new Map(),
  })
  expect(await mallory.closed).toEqual(closeCodes.malformed)
})

function flip(bytes: Uint8Array): Uint8Array {
  const flipped = bytes.slice()
  flipped[10] = (flipped[10] ?? 0) ^ 1
  return flipped
}
