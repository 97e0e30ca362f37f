import { verify } from '../../shared/native-ed25519.testing.ts'

/** Stands for `relay/connections/signature.ts`. */
export function verifies(statement: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): boolean {
  return verify(signature, statement, publicKey)
}
