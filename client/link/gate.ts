import * as Y from 'yjs'

/** Bounds of one update: far above what the app makes, far below what hurts. */
const limits = {
  outside: { bytes: 1 << 20, structs: 200_000 },
  /** This device's own rows and files hold whole sessions. */
  device: { bytes: 1 << 26, structs: 10_000_000 },
} as const

/**
 * Whether an update that was not made here and now may be applied. A throwing `applyUpdate` can leave half of itself in the document, so
 * everything that can be known before is checked on the decoded structs.
 */
export function isAcceptable(update: Uint8Array, from: keyof typeof limits = 'outside'): boolean {
  if (update.length > limits[from].bytes) return false
  try {
    const { structs } = Y.decodeUpdate(update)
    return structs.length <= limits[from].structs && structs.every(isPlain)
  } catch {
    return false // the decoder throws for whatever it does not understand
  }
}

/** The document holds maps, text and plain values: no sub-documents, arrays, XML or weak links. */
function isPlain(struct: Y.Item | Y.GC | Y.Skip): boolean {
  if (!(struct instanceof Y.Item)) return true
  const content = struct.content
  if (content instanceof Y.ContentType) return content.type instanceof Y.Map || content.type instanceof Y.Text
  if (content instanceof Y.ContentAny) return content.arr.every((value) => isShallow(value))
  return (
    content instanceof Y.ContentString ||
    content instanceof Y.ContentBinary ||
    content instanceof Y.ContentDeleted
  )
}

function isShallow(value: unknown): boolean {
  return value === null || typeof value !== 'object' || value instanceof Uint8Array
}
