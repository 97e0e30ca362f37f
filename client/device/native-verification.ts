/**
 * Verification by the browser's own Ed25519. Implementations differ for points of small order and other encodings, and records
 * must count on all devices or on none: so the browser's word is taken only where it implies the library's.
 */
import { base32 } from '../../shared/id.ts'
import type { Signature } from '../../shared/keys.ts'

const publicKeys = new Map<string, Promise<CryptoKey>>()

/**
 * True only when the library would say so, too. Its equation has the cofactor, the browser's may have none and then says yes
 * less often; all else that the library refuses is refused here: S not below the order, points that are not in their one
 * encoding, keys of small order.
 */
export async function verifyNatively({ signature, message, publicKey }: Signature): Promise<boolean> {
  const isSound =
    isBelow(signature.subarray(32), order) && [signature.subarray(0, 32), publicKey].every(isSoundPoint)
  if (!isSound) return false
  try {
    const name = base32(publicKey)
    const importing = publicKeys.get(name) ?? importKey(publicKey)
    publicKeys.set(name, importing)
    const key = await importing
    return await crypto.subtle.verify('Ed25519', key, signature as BufferSource, message as BufferSource)
  } catch {
    return false // no such algorithm, no `subtle`, or no key
  }
}

async function importKey(publicKey: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', publicKey as BufferSource, 'Ed25519', false, ['verify'])
}

/** As bytes, the lowest first: the order of the base point, and the field's prime (RFC 8032, section 5.1). */
const order = bytesOf((1n << 252n) + 27742317777372353535851937790883648493n)
const prime = bytesOf((1n << 255n) - 19n)
/** The y of the points whose order divides 8. */
const smallY = [
  0n,
  1n,
  (1n << 255n) - 20n,
  2707385501144840649318225287225658788936804267575313519463743609750303402022n,
  55188659117513257062467267217118295137698188065244968500265048394206261417927n,
].map(bytesOf)

/** In its one encoding, and not of small order. */
function isSoundPoint(point: Uint8Array): boolean {
  const y = point.map((byte, at) => (at === 31 ? byte & 127 : byte))
  return isBelow(y, prime) && !smallY.some((small) => small.every((byte, at) => byte === y[at]))
}

function isBelow(bytes: Uint8Array, bound: Uint8Array): boolean {
  if (bytes.length !== 32) return false
  for (let at = 31; at >= 0; at--) {
    const difference = (bytes[at] ?? 0) - (bound[at] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}

function bytesOf(number: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, at) => Number((number >> BigInt(8 * at)) & 255n))
}
