/// <reference path="./sodium-native.d.ts" />
import { createPublicKey, verify } from 'node:crypto'
import type { crypto_sign_verify_detached } from 'sodium-native'

/** Whether an Ed25519 signature of 64 bytes is that of a public key of 32 bytes. */
export type Verify = (statement: Uint8Array, publicKey: Uint8Array, signature: Uint8Array) => boolean

let verifyHere: Verify = verifyByOpenSsl

/** By libsodium once it is there (see `useLibsodium`), until then and elsewhere by OpenSSL. */
export function verifies(statement: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): boolean {
  return verifyHere(statement, publicKey, signature)
}

/**
 * Reads libsodium, which takes some 30 ms: a relay is better off listening first. It comes built for most systems, but not for
 * all (musl, for one). It is the stricter of the two: it takes no signature for a key of small order, for which anybody can sign.
 */
export async function useLibsodium(): Promise<void> {
  const library = await import('sodium-native').catch(() => undefined)
  if (library) verifyHere = verifyByLibsodium(library.default.crypto_sign_verify_detached)
}

/** Half the time of OpenSSL's, which is written for 32 bits, and no object for each key, which is garbage that costs as much again. */
export function verifyByLibsodium(check: typeof crypto_sign_verify_detached): Verify {
  return (statement, publicKey, signature) =>
    // It would read beyond the end of what is too short.
    publicKey.length === 32 && signature.length === 64 && check(signature, statement, publicKey)
}

/** 14 times faster than in JavaScript; a JWK is read 13 times faster than DER. */
export function verifyByOpenSsl(
  statement: Uint8Array,
  publicKey: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== 32) return false
  const x = Buffer.from(publicKey).toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return verify(null, statement, key, signature)
}
