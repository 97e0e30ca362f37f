import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

/** The head of an Ed25519 private key in PKCS #8 (RFC 8410, section 7). */
const head = Buffer.from('302e020100300506032b657004220420', 'hex')
const secretKeys = new Map<string, KeyObject>()
const publicKeys = new Map<string, KeyObject>()
const verdicts = new Map<string, boolean>()

// Stands for the library: the same bytes by OpenSSL, fourteen times faster, and what several devices check is computed once.
// Checking is a pure function, so nobody can tell.

/** Where the library wants its hash function; OpenSSL brings its own. */
export const hashes: { sha512?: unknown } = {}

/** Nobody here has a key of small order. */
export const Point = { fromBytes: () => ({ isSmallOrder: () => false }) }

export function getPublicKey(seed: Uint8Array): Uint8Array {
  const { x } = createPublicKey(secretKey(seed)).export({ format: 'jwk' })
  return new Uint8Array(Buffer.from(x ?? '', 'base64url'))
}

function signBytes(message: Uint8Array, seed: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, message, secretKey(seed)))
}

function verifyBytes(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  const question = [signature, publicKey, message]
    .map((bytes) => Buffer.from(bytes).toString('latin1'))
    .join()
  const known = verdicts.get(question)
  if (known !== undefined) return known
  if (verdicts.size > 5000) verdicts.clear()
  const holds = verify(null, message, keyOf(publicKey), signature)
  verdicts.set(question, holds)
  return holds
}

function keyOf(publicKey: Uint8Array): KeyObject {
  const x = Buffer.from(publicKey).toString('base64url')
  const known = publicKeys.get(x)
  if (known) return known
  if (publicKeys.size > 500) publicKeys.clear()
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  publicKeys.set(x, key)
  return key
}

export { signBytes as sign, verifyBytes as verify }

function secretKey(seed: Uint8Array): KeyObject {
  const name = Buffer.from(seed).toString('latin1')
  const known = secretKeys.get(name)
  if (known) return known
  if (secretKeys.size > 500) secretKeys.clear()
  const key = createPrivateKey({ key: Buffer.concat([head, seed]), format: 'der', type: 'pkcs8' })
  secretKeys.set(name, key)
  return key
}
