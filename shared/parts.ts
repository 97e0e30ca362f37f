import { randomBytes } from '@noble/hashes/utils.js'
import {
  decodeExactly,
  encode,
  joinBytes,
  putBytes,
  putUint,
  takeBytes,
  takeRest,
  takeUint,
} from './codec.ts'
import { envelopeLimits, envelopeOverhead } from './envelope.ts'

/** What the envelope of a change holds: a whole Yjs update, or a part of one that fits no single envelope. */
export interface Part {
  readonly index: number
  readonly count: number
  /** 8 random bytes that the parts of one update share; empty for a whole update. */
  readonly group: Uint8Array
  readonly bytes: Uint8Array
}

const groupBytes = 8
const partOverhead = 16
const largestPart = envelopeLimits.change - envelopeOverhead - partOverhead
const mostParts = 256

/** `content := varUint(index) • varUint(count) • [bytes(group, 8) when count > 1] • bytes` */
export function splitIntoParts(update: Uint8Array): Uint8Array[] {
  const count = Math.max(1, Math.ceil(update.length / largestPart))
  const group = count > 1 ? randomBytes(groupBytes) : new Uint8Array()
  return Array.from({ length: count }, (_, index) =>
    encode((encoder) => {
      putUint(encoder, index)
      putUint(encoder, count)
      putBytes(encoder, group)
      putBytes(encoder, update.subarray(index * largestPart, (index + 1) * largestPart))
    }),
  )
}

export function decodePart(content: Uint8Array): Part | undefined {
  const part = decodeExactly(content, (decoder) => {
    const index = takeUint(decoder)
    const count = takeUint(decoder)
    return { index, count, group: takeBytes(decoder, count > 1 ? groupBytes : 0), bytes: takeRest(decoder) }
  })
  return part && part.index < part.count && part.count <= mostParts ? part : undefined
}

/** What comes in between, from others, before nobody waits for the rest any more: its author sends it in one go. */
const patience = 100

/** In bytes: one update of the most parts, and as much as a relay's log of a session holds when nobody has set another limit. */
const mostKept = mostParts * envelopeLimits.change

interface Group {
  readonly parts: Map<number, Uint8Array>
  bytes: number
  /** How many had been added when its last part came. */
  addedAt: number
}

/** Gathers the parts of updates that came in several envelopes, in any order and repeatedly. */
export class PartCollector {
  /** The one that has waited longest for its next part comes first. */
  readonly #groups = new Map<string, Group>()
  #added = 0

  /** The whole update once its last part is here. */
  add(part: Part): Uint8Array | undefined {
    this.#added++
    this.#giveUp()
    if (part.count === 1) return part.bytes
    const key = `${part.group.join()}/${part.count}`
    const group = this.#groups.get(key) ?? { parts: new Map<number, Uint8Array>(), bytes: 0, addedAt: 0 }
    group.addedAt = this.#added
    this.#groups.delete(key)
    this.#groups.set(key, group)
    if (!group.parts.has(part.index)) {
      group.parts.set(part.index, part.bytes)
      // All that was in the envelope stays with it, the padding, too.
      group.bytes += part.bytes.buffer.byteLength
    }
    if (group.parts.size < part.count) return undefined
    this.#groups.delete(key)
    return joinBytes(...[...group.parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes))
  }

  /** True while some update has arrived only in part: then "everything up to here" must not be said yet. */
  get waiting(): boolean {
    return this.#groups.size > 0
  }

  /**
   * Somebody was cut off in the middle of an update, and has sent it anew under another name. What others crowded out is
   * missed when devices compare what they have: then the log is read again.
   */
  #giveUp(): void {
    let kept = 0
    for (const [key, { bytes, addedAt }] of [...this.#groups].reverse()) {
      kept += bytes
      if (kept > mostKept || this.#added - addedAt > patience) this.#groups.delete(key)
    }
  }
}
