import { randomBytes } from 'node:crypto'
import sodium from 'sodium-native'
import { expect, test } from 'vitest'
import { publicKeyOf, sign } from '../../shared/keys.ts'
import { useLibsodium, type Verify, verifies, verifyByLibsodium, verifyByOpenSsl } from './signature.ts'

const ways: [string, Verify][] = [
  ['libsodium', verifyByLibsodium(sodium.crypto_sign_verify_detached)],
  ['OpenSSL', verifyByOpenSsl],
]

// RFC 8032, section 7.1, test 3.
const known = {
  publicKey: bytes('fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025'),
  statement: bytes('af82'),
  signature: bytes(
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ),
}

test.each(ways)('%s accepts what was signed', (_, verify) => {
  expect(verify(known.statement, known.publicKey, known.signature)).toBe(true)
  for (let length = 0; length < 100; length++) {
    const { statement, publicKey, signature } = signed(length)
    expect(verify(statement, publicKey, signature)).toBe(true)
  }
})

test.each(ways)('%s reads what lies in the middle of something else', (_, verify) => {
  const { statement, publicKey, signature } = signed(50)
  const frame = Buffer.concat([randomBytes(7), statement, publicKey, signature, randomBytes(9)])
  const [s, k, e] = [7, 57, 89]
  expect(verify(frame.subarray(s, k), frame.subarray(k, e), frame.subarray(e, e + 64))).toBe(true)
  expect(verify(frame.subarray(s, k), frame.subarray(k, e), frame.subarray(e + 1, e + 65))).toBe(false)
})

test.each(ways)('%s refuses what anybody changed', (_, verify) => {
  const { statement, publicKey, signature } = signed(50)
  for (let bit = 0; bit < 64 * 8; bit++)
    expect(verify(statement, publicKey, flip(signature, bit))).toBe(false)
  for (let bit = 0; bit < 32 * 8; bit++)
    expect(verify(statement, flip(publicKey, bit), signature)).toBe(false)
  for (let bit = 0; bit < 50 * 8; bit++)
    expect(verify(flip(statement, bit), publicKey, signature)).toBe(false)
  expect(verify(statement, publicKeyOf(randomBytes(32)), signature)).toBe(false)
})

test.each(ways)('%s refuses a second form of the same signature', (_, verify) => {
  const { statement, publicKey, signature } = signed(50)
  expect(verify(statement, publicKey, withOrderAdded(signature))).toBe(false)
})

test.each(ways)('%s refuses keys and signatures of other lengths', (_, verify) => {
  const { statement, publicKey, signature } = signed(50)
  for (const length of [0, 31, 33]) {
    expect(verify(statement, new Uint8Array(length), signature)).toBe(false)
  }
  for (const length of [0, 63, 65]) {
    expect(verify(statement, publicKey, new Uint8Array(length))).toBe(false)
  }
  expect(verify(statement, publicKey, signature.subarray(0, 63))).toBe(false)
  expect(verify(statement, publicKey.subarray(0, 31), signature)).toBe(false)
})

test('libsodium comes built for this system, and does the work once it is read', async () => {
  // The neutral point: anybody can sign for it, which OpenSSL lets pass and libsodium does not.
  const ofSmallOrder = new Uint8Array(32).fill(1, 0, 1)
  const forAnything = new Uint8Array(64).fill(1, 0, 1)
  expect(verifies(known.statement, ofSmallOrder, forAnything)).toBe(true)
  await useLibsodium()
  expect(verifies(known.statement, ofSmallOrder, forAnything)).toBe(false)
  expect(verifies(known.statement, known.publicKey, known.signature)).toBe(true)
})

function signed(length: number) {
  const seed = randomBytes(32)
  const statement = randomBytes(length)
  return { statement, publicKey: publicKeyOf(seed), signature: sign(statement, seed) }
}

function flip(all: Uint8Array, bit: number): Uint8Array {
  const flipped = all.slice()
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return flipped
}

/** The scalar plus the order of the group: the same point, if nobody looks (RFC 8032, section 5.1.7). */
function withOrderAdded(signature: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const scalar = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order
  const added = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').reverse()
  return Buffer.concat([signature.subarray(0, 32), added])
}

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}
