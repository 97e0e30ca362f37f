import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, randomBytes } from '@noble/hashes/utils.js'
import { idBytes } from './id.ts'
import type { SessionKeys } from './keys.ts'

const protocolVersion = 1

/** What an envelope holds. It is part of the associated data, so a relay cannot pass one off as another. */
export const envelopeKinds = { change: 1, snapshot: 2, signal: 3 } as const
export type EnvelopeKind = keyof typeof envelopeKinds

const nonceBytes = 24
const tagBytes = 16
const lengthBytes = 4

/** Bytes that an envelope is longer than its padded class allows for content. */
export const envelopeOverhead = nonceBytes + tagBytes + lengthBytes

/** Whole envelope sizes, so that a size tells as little as possible about what is inside. */
const sizeClasses = [256, 1024, 4096, 16384, 65536]

/** The largest envelope of a change or a signal, and of a snapshot, in bytes. */
export const envelopeLimits: Record<EnvelopeKind, number> = {
  change: 65536,
  signal: 65536,
  snapshot: 1 << 20,
}

/**
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) under the session's content key, random nonce, padded:
 * `nonce(24) • encrypted(uint32 length • content • zeros) • tag(16)`.
 *
 * Throws when the content does not fit the kind's limit: the caller splits before.
 */
export function encrypt(keys: SessionKeys, kind: EnvelopeKind, content: Uint8Array): Uint8Array {
  const size = paddedSize(content.length + envelopeOverhead)
  if (size > envelopeLimits[kind]) throw new Error(`A ${kind} of ${content.length} bytes fits no envelope`)
  const plain = new Uint8Array(size - nonceBytes - tagBytes)
  new DataView(plain.buffer).setUint32(0, content.length)
  plain.set(content, lengthBytes)
  const nonce = randomBytes(nonceBytes)
  return concatBytes(
    nonce,
    xchacha20poly1305(keys.contentKey, nonce, associatedData(keys, kind)).encrypt(plain),
  )
}

/** Undefined when the envelope is not of this session and kind, or has been touched. */
export function decrypt(keys: SessionKeys, kind: EnvelopeKind, envelope: Uint8Array): Uint8Array | undefined {
  if (envelope.length < envelopeOverhead || envelope.length > envelopeLimits[kind]) return undefined
  try {
    const cipher = xchacha20poly1305(
      keys.contentKey,
      envelope.subarray(0, nonceBytes),
      associatedData(keys, kind),
    )
    const plain = cipher.decrypt(envelope.subarray(nonceBytes))
    const length = new DataView(plain.buffer, plain.byteOffset).getUint32(0)
    return length <= plain.length - lengthBytes
      ? plain.subarray(lengthBytes, lengthBytes + length)
      : undefined
  } catch {
    return undefined // the cipher throws for a wrong tag
  }
}

/** 32 bytes; stores recognise a repeated envelope by it, and cursors are marked with its start. */
export function envelopeHash(envelope: Uint8Array): Uint8Array {
  return sha256(envelope)
}

/**
 * Small envelopes share few classes. Above them Padmé (Nikitin et al., PETS 2019, section 4): at most 12 % more, where
 * fixed classes would make a snapshot up to four times as long.
 */
export function paddedSize(size: number): number {
  const fits = sizeClasses.find((limit) => size <= limit)
  if (fits) return fits
  const exponent = Math.floor(Math.log2(size))
  const mask = 2 ** (exponent - Math.floor(Math.log2(exponent)) - 1) - 1
  return (size + mask) & ~mask
}

function associatedData(keys: SessionKeys, kind: EnvelopeKind): Uint8Array {
  return concatBytes(Uint8Array.of(protocolVersion, envelopeKinds[kind]), idBytes(keys.session))
}
