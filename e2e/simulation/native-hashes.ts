import { createHmac, hash as hashAtOnce, hkdfSync } from 'node:crypto'

// Stands for the libraries' hash functions: the same bytes by OpenSSL.

type Hash = ((bytes: Uint8Array) => Uint8Array) & { readonly node: 'sha256' | 'sha512' }

export const sha256 = hashBy('sha256')
export const sha512 = hashBy('sha512')

export function hmac(hash: Hash, key: Uint8Array, message: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac(hash.node, key).update(message).digest())
}

/** What follows from a key is asked for again whenever its device starts. */
const derived = new Map<string, Uint8Array>()

export function hkdf(
  hash: Hash,
  secret: Uint8Array,
  salt: Uint8Array | undefined,
  purpose: Uint8Array,
  length: number,
): Uint8Array {
  const from = Buffer.concat([secret, purpose]).toString('latin1')
  const name = `${hash.node} ${length} ${salt} ${from}`
  const known = derived.get(name)
  if (known) return known.slice()
  if (derived.size > 2000) derived.clear()
  const key = new Uint8Array(hkdfSync(hash.node, secret, salt ?? new Uint8Array(), purpose, length))
  derived.set(name, key)
  return key.slice()
}

function hashBy(node: Hash['node']): Hash {
  const hash = (bytes: Uint8Array) => new Uint8Array(hashAtOnce(node, bytes, 'buffer'))
  return Object.assign(hash, { node })
}
