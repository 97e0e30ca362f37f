import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { decodeUtf8 } from 'lib0/string'

export type { Decoder } from 'lib0/decoding'
export { readUint8 as takeByte } from 'lib0/decoding'
export type { Encoder } from 'lib0/encoding'
export {
  encode,
  writeUint8 as putByte,
  writeUint8Array as putBytes,
  writeVarString as putText,
  writeVarUint as putUint,
} from 'lib0/encoding'

const { createDecoder } = decoding
const { createEncoder, toUint8Array } = encoding

/**
 * Exactly `length` bytes. lib0's own reader looks at the underlying buffer, which for a pooled
 * buffer reaches past the frame.
 */
export function takeBytes(decoder: decoding.Decoder, length: number): Uint8Array {
  if (decoder.pos + length > decoder.arr.length) throw new Error('Unexpected end of array')
  return decoding.readUint8Array(decoder, length)
}

/**
 * A number that can be told from its neighbours. lib0's own reader looks at all bytes of it but the last, and makes NaN of
 * more than 147 zeros.
 */
export function takeUint(decoder: decoding.Decoder): number {
  const value = decoding.readVarUint(decoder)
  if (!(value <= Number.MAX_SAFE_INTEGER)) throw new Error('Integer out of range')
  return value
}

export function takeText(decoder: decoding.Decoder, maxBytes: number): string {
  const length = takeUint(decoder)
  if (length > maxBytes) throw new Error('Text too long')
  return decodeUtf8(takeBytes(decoder, length))
}

export function takeRest(decoder: decoding.Decoder): Uint8Array {
  return takeBytes(decoder, decoder.arr.length - decoder.pos)
}

/**
 * Reads bytes with a reader that may throw at any point. Undefined when it threw, left bytes unread, or when
 * `write` gives other bytes for the value than were read: every value has one encoding only.
 */
export function decodeExactly<Value>(
  bytes: Uint8Array,
  read: (decoder: decoding.Decoder) => Value,
  write?: (encoder: encoding.Encoder, value: Value) => void,
): Value | undefined {
  try {
    const decoder = createDecoder(bytes)
    const value = read(decoder)
    if (decoder.pos !== bytes.length) return undefined
    if (!write) return value
    const encoder = createEncoder()
    write(encoder, value)
    return equalBytes(toUint8Array(encoder), bytes) ? value : undefined
  } catch {
    // Whatever a reader throws at foreign bytes means the same: they are not what they claim to be.
    return undefined
  }
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}

export function joinBytes(...parts: Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
