import { getPublicKey } from '@noble/ed25519'
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { expect, test, vi } from 'vitest'
import { publicKeyOf, type Signature, sign, verify } from '../../shared/keys.ts'
import { derivePublicKeys, signNatively, verifyNatively } from './native-ed25519.ts'

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

test('the browser’s yes is the library’s, for every way to make a signature wrong or strange', async () => {
  const seed = seeds[5] as Uint8Array
  const [message, publicKey] = [Uint8Array.of(1, 2, 3), publicKeyOf(seed)]
  const signature = sign(message, seed)
  expect(await verifyNatively({ signature, message, publicKey })).toBe(true)
  const torsion = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000080',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  ].map(hexToBytes)
  const strange: Signature[] = torsion.map((key) => ({ signature, message, publicKey: key }))
  for (const point of torsion) {
    const zero = concatBytes(point, new Uint8Array(32))
    for (const key of [publicKey, ...torsion]) strange.push({ signature: zero, message, publicKey: key })
    strange.push({ signature: concatBytes(point, signature.slice(32)), message, publicKey })
  }
  const order = hexToBytes('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')
  const beyond = signature.slice()
  let carry = 0
  for (let at = 0; at < 32; at++) {
    carry += (signature[32 + at] ?? 0) + (order[at] ?? 0)
    beyond[32 + at] = carry & 255
    carry >>= 8
  }
  strange.push({ signature: beyond, message, publicKey })
  for (let at = 0; at < 64; at++) {
    strange.push({
      signature: signature.map((byte, place) => (place === at ? byte ^ 1 : byte)),
      message,
      publicKey,
    })
  }
  strange.push(
    { signature: signature.slice(1), message, publicKey },
    { signature, message, publicKey: order.slice(1) },
  )
  for (const each of strange) {
    expect(await verifyNatively(each)).toBe(false)
  }
})

test('over plain http, where the browser has nothing to sign with, the library derives the keys', async () => {
  const seed = crypto.getRandomValues(new Uint8Array(32))
  vi.stubGlobal('crypto', { subtle: undefined })
  try {
    await derivePublicKeys([seed])
    expect(await signNatively(new Uint8Array(3), seed)).toBeUndefined()
    const message = Uint8Array.of(1)
    const signed = { signature: sign(message, seed), message, publicKey: publicKeyOf(seed) }
    expect(await verifyNatively(signed)).toBe(false)
  } finally {
    vi.unstubAllGlobals()
  }
  expect(publicKeyOf(seed)).toEqual(getPublicKey(seed))
})
