import { createPublicKey, verify } from 'node:crypto'

/** Ed25519 by OpenSSL, 14 times faster than in JavaScript; a JWK is read 13 times faster than DER. */
export function verifies(statement: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): boolean {
  const x = Buffer.from(publicKey).toString('base64url')
  return verify(
    null,
    statement,
    createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
    signature,
  )
}
