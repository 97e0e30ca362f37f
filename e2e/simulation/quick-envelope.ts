import { createHash } from 'node:crypto'
import type { EnvelopeKind } from '../../shared/envelope.ts'
import type { SessionKeys } from '../../shared/keys.ts'

type Envelopes = typeof import('../../shared/envelope.ts')

const nonceBytes = 24
const tagBytes = 16
const lengthBytes = 4
const begin = nonceBytes + lengthBytes

/** Copies of what was made lately, by kind and nonce: to compare what each device reads is quicker than to compute its tag. */
const made = new Map<string, { readonly keys: SessionKeys; readonly envelope: Buffer }>()
const mostMade = 2000

/**
 * Stands for the encryption: envelopes of the same sizes, with a random start, bound to session and kind; whoever has not
 * the key can neither make one nor change it. The content lies open in them, which nobody here looks at.
 */
export function quicken(real: Envelopes): Envelopes {
  return {
    ...real,
    encrypt(keys, kind, content) {
      const size = real.paddedSize(content.length + real.envelopeOverhead)
      if (size > real.envelopeLimits[kind]) {
        throw new Error(`A ${kind} of ${content.length} bytes fits no envelope`)
      }
      const envelope = new Uint8Array(size)
      crypto.getRandomValues(envelope.subarray(0, nonceBytes))
      new DataView(envelope.buffer).setUint32(nonceBytes, content.length)
      envelope.set(content, begin)
      envelope.set(tagOf(keys, kind, envelope), size - tagBytes)
      if (made.size > mostMade) made.clear()
      made.set(nameOf(kind, envelope), { keys, envelope: Buffer.from(envelope) })
      return envelope
    },
    decrypt(keys, kind, envelope) {
      const size = envelope.length
      if (size < real.envelopeOverhead || size > real.envelopeLimits[kind]) return undefined
      if (!wasMade(keys, kind, envelope) && !hasTag(keys, kind, envelope)) return undefined
      const length = new DataView(envelope.buffer, envelope.byteOffset).getUint32(nonceBytes)
      return length <= size - begin - tagBytes ? envelope.slice(begin, begin + length) : undefined
    },
  }
}

function wasMade(keys: SessionKeys, kind: EnvelopeKind, envelope: Uint8Array): boolean {
  const known = made.get(nameOf(kind, envelope))
  if (!known?.envelope.equals(envelope) || known.keys.session !== keys.session) return false
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
