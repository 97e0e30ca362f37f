import { createHash } from 'node:crypto'
import {
  type EnvelopeKind,
  envelopeLimits,
  envelopeOverhead,
  paddedSize,
  type encrypt as reallyEncrypt,
} from '../../shared/envelope.ts'
import type { SessionKeys } from '../../shared/keys.ts'

// Stands for `shared/envelope.ts`: envelopes of the same sizes, with a random start, bound to session and kind; whoever has not
// the key can neither make one nor change it. The content lies open in them, which nobody here looks at.
export * from '../../shared/envelope.ts'

const nonceBytes = 24
const tagBytes = 16
const lengthBytes = 4
const begin = nonceBytes + lengthBytes

interface Made {
  readonly keys: SessionKeys
  readonly envelope: Buffer
  /** The same bytes for all who read it, so that what is kept beside them is computed once. */
  readonly content: Uint8Array
}

/** Copies of what was made lately, by kind and nonce: to compare what each device reads is quicker than to compute its tag. */
const made = new Map<string, Made>()
const mostMade = 2000

export const encrypt: typeof reallyEncrypt = (keys, kind, content) => {
  const size = paddedSize(content.length + envelopeOverhead)
  if (size > envelopeLimits[kind]) throw new Error(`A ${kind} of ${content.length} bytes fits no envelope`)
  const envelope = new Uint8Array(size)
  crypto.getRandomValues(envelope.subarray(0, nonceBytes))
  new DataView(envelope.buffer).setUint32(nonceBytes, content.length)
  envelope.set(content, begin)
  envelope.set(tagOf(keys, kind, envelope), size - tagBytes)
  if (made.size > mostMade) made.clear()
  made.set(nameOf(kind, envelope), { keys, envelope: Buffer.from(envelope), content: content.slice() })
  return envelope
}

export function decrypt(keys: SessionKeys, kind: EnvelopeKind, envelope: Uint8Array): Uint8Array | undefined {
  const size = envelope.length
  if (size < envelopeOverhead || size > envelopeLimits[kind]) return undefined
  const known = made.get(nameOf(kind, envelope))
  if (known && isOf(known, keys, envelope)) return known.content
  if (!hasTag(keys, kind, envelope)) return undefined
  const length = new DataView(envelope.buffer, envelope.byteOffset).getUint32(nonceBytes)
  return length <= size - begin - tagBytes ? envelope.slice(begin, begin + length) : undefined
}

function isOf(known: Made, keys: SessionKeys, envelope: Uint8Array): boolean {
  if (!known.envelope.equals(envelope) || known.keys.session !== keys.session) return false
  return Buffer.compare(known.keys.contentKey, keys.contentKey) === 0
}

function hasTag(keys: SessionKeys, kind: EnvelopeKind, envelope: Uint8Array): boolean {
  return tagOf(keys, kind, envelope).equals(envelope.subarray(envelope.length - tagBytes))
}

function nameOf(kind: EnvelopeKind, envelope: Uint8Array): string {
  return kind + Buffer.from(envelope.buffer, envelope.byteOffset, nonceBytes).toString('latin1')
}

function tagOf(keys: SessionKeys, kind: EnvelopeKind, envelope: Uint8Array): Buffer {
  const hash = createHash('sha256').update(keys.contentKey).update(`${kind} ${keys.session} `)
  return hash
    .update(envelope.subarray(0, envelope.length - tagBytes))
    .digest()
    .subarray(0, tagBytes)
}
