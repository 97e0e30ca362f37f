import { createDecoder, readVarUint } from 'lib0/decoding'
import * as Y from 'yjs'
import { decodeOnce } from './decoded.ts'

/** Bounds of one update: above what the app makes, see `update-pieces.ts`, and below what hurts. */
const limits = {
  outside: { bytes: 1 << 20, structs: 200_000 },
  /** This device's own rows and files hold whole sessions. */
  device: { bytes: 1 << 26, structs: 10_000_000 },
} as const

/** What is sent is split into pieces of about so many bytes: half of the bound, because a piece ends after the struct that fills it. */
export const largestPiece = limits.outside.bytes / 2

/**
 * Whether an update that was not made here and now may be applied. A throwing `applyUpdate` can leave half of itself in the document, so
 * everything that can be known before is checked on the decoded structs. Each rule looks at one transaction's worth, so that
 * updates which were accepted one by one are accepted merged, too.
 */
export function isAcceptable(update: Uint8Array, from: keyof typeof limits = 'outside'): boolean {
  const { bytes, structs: most } = limits[from]
  const decoded = update.length <= bytes && decodeOnce(update)
  if (!decoded) return false
  const { structs, ds } = decoded
  const deletions = [...ds.clients].flatMap(([client, ranges]) =>
    ranges.map(({ clock, len }) => ({ id: { client, clock }, length: len })),
  )
  // Of two runs of one client Yjs would take the last, and one without structs may have more than can be counted.
  const clients = new Set(structs.map(({ id }) => id.client))
  return (
    clients.size === readVarUint(createDecoder(update)) &&
    [structs, deletions].every((all) => all.length <= most && all.every(isSound)) &&
    arePlain(structs)
  )
}

/**
 * Of values that were put under one name by people who knew of no other: Yjs goes through all of them for each, and 40,000 cost a
 * minute. There are as many as people who were apart.
 */
const mostFirsts = 1000

type Struct = Y.Item | Y.GC | Y.Skip

/**
 * Yjs adds up clocks and lengths; without a length a struct cannot be found again. Behind many zeros lib0 reads infinity, or no number
 * at all, for a client too, and infinity it writes without end.
 */
function isSound({ id, length }: { readonly id: Y.ID; readonly length: number }): boolean {
  return length > 0 && id.client + id.clock + length <= Number.MAX_SAFE_INTEGER
}

/** The document holds plain values, and stories with two texts each: no sub-documents, lists, XML, formats or deeper nests. */
function arePlain(structs: readonly Struct[]): boolean {
  const stories = new Set<string>()
  const firsts = new Map<string, number>()
  for (const struct of structs) {
    if (!(struct instanceof Y.Item)) continue
    const { id, content, origin, rightOrigin, parentSub } = struct
    // In the file that decodes updates it is a name or an id, and not yet a type.
    const parent: unknown = struct.parent
    for (const needed of [origin, rightOrigin, parent]) {
      // Yjs looks for what it takes to be there already, and throws.
      if (!(needed instanceof Y.ID)) continue
      if (!isSound({ id: needed, length: 1 }) || (needed.client === id.client && needed.clock >= id.clock))
        return false
    }
    if (parentSub !== null) {
      const place = `${parent instanceof Y.ID ? nameOf(parent) : parent} ${parentSub}`
      const count = (firsts.get(place) ?? 0) + 1
      if (count > mostFirsts) return false
      firsts.set(place, count)
    }
    if (content instanceof Y.ContentType) {
      if (origin || rightOrigin) return false
      const kind: unknown = content.type.constructor
      if (kind === Y.Map && parent === 'stories' && parentSub !== null) stories.add(nameOf(id))
      else if (kind !== Y.Text || (parentSub !== 'title' && parentSub !== 'notes')) return false
      else if (!(parent instanceof Y.ID) || !stories.has(nameOf(parent))) return false
    } else if (content instanceof Y.ContentAny) {
      if (content.arr.length > 1 || !content.arr.every(isShallow)) return false
    } else if (content instanceof Y.ContentString) {
      if (parentSub !== null) return false
    } else if (!(content instanceof Y.ContentBinary) && !(content instanceof Y.ContentDeleted)) return false
  }
  return true
}

function nameOf({ client, clock }: Y.ID): string {
  return `${client} ${clock}`
}

function isShallow(value: unknown): boolean {
  return value === null || typeof value !== 'object' || value instanceof Uint8Array
}
