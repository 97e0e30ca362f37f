import { getPublicKey } from '@noble/ed25519'
import { expect, test, vi } from 'vitest'
import { publicKeyOf, sign, verify } from '../shared/keys.ts'
import { derivePublicKeys, signNatively } from './native-ed25519.ts'

const seeds = [0, 1, 0x7f, 0x80, 0xff].map((byte) => new Uint8Array(32).fill(byte))
for (let at = 0; at < 20; at++) seeds.push(crypto.getRandomValues(new Uint8Array(32)))

test('the browser derives the public keys that the library derives', async () => {
  const asked = vi.spyOn(crypto.subtle, 'exportKey')
  await derivePublicKeys(seeds)
  expect(asked).toHaveBeenCalledTimes(seeds.length)
  for (const seed of seeds) expect(publicKeyOf(seed)).toEqual(getPublicKey(seed))
})

test('the browser signs with the bytes the library signs with', async () => {
  for (const [at, seed] of seeds.entries()) {
    const message = crypto.getRandomValues(new Uint8Array(at * 7))
    const signature = await signNatively(message, seed)
    expect(signature).toEqual(sign(message, seed))
    expect(verify(signature ?? new Uint8Array(), message, publicKeyOf(seed))).toBe(true)
  }
})

test('over plain http, where the browser has nothing to sign with, the library derives the keys', async () => {
  const seed = crypto.getRandomValues(new Uint8Array(32))
  vi.stubGlobal('crypto', { subtle: undefined })
  try {
    await derivePublicKeys([seed])
    expect(await signNatively(new Uint8Array(3), seed)).toBeUndefined()
  } finally {
    vi.unstubAllGlobals()
  }
  expect(publicKeyOf(seed)).toEqual(getPublicKey(seed))
})
