import * as Y from 'yjs'

type Decoded = ReturnType<typeof Y.decodeUpdate>

const decoded = new WeakMap<Uint8Array, Decoded>()

/** Undefined for what is no update. Kept as long as its bytes: decoding is most of the work, and several ask. */
export function decodeOnce(update: Uint8Array): Decoded | undefined {
  const known = decoded.get(update)
  if (known) return known
  try {
    const made = Y.decodeUpdate(update)
    decoded.set(update, made)
    return made
  } catch {
    return undefined // the decoder throws for whatever it does not understand
  }
}

/** Merging takes the square of the number of updates, so many are merged in portions. */
export function mergeInPortions(updates: readonly Uint8Array[]): Uint8Array[] {
  const portions = Array.from({ length: Math.ceil(updates.length / portion) }, (_, at) =>
    updates.slice(at * portion, (at + 1) * portion),
  )
  return portions.map((some) => Y.mergeUpdates(some))
}

const portion = 250
