import { createDecoder, readVarUint } from 'lib0/decoding'
import * as Y from 'yjs'
import { decodeOnce } from './decoded.ts'

/**
 * What the log holds of the document: a state vector and the deletions. A state vector alone would make every client
 * upload all deletions again on each connecting.
 */
export class Held {
  #state: Y.Snapshot
  /** Updates that do not continue what is held: the log has a gap before them. */
  #gaps: Uint8Array[] = []
  #extended = false

  constructor(state: Y.Snapshot = Y.emptySnapshot) {
    this.#state = Y.createSnapshot(state.ds, new Map(state.sv))
  }

  copy(): Held {
    const copy = new Held(this.#state)
    copy.#gaps = [...this.#gaps]
    return copy
  }

  add(update: Uint8Array): void {
    this.#gaps.push(update)
    do {
      this.#extended = false
      this.#gaps = this.#gaps.filter((gap) => !this.#extend(gap))
    } while (this.#extended && this.#gaps.length > 0)
    // A gap that never closes costs an upload of what is behind it, nothing else.
    if (this.#gaps.length > mostGaps) this.#gaps.shift()
  }

  contains(update: Uint8Array): boolean {
    const { sv, ds } = this.#state
    const first = firstOf(update)
    if (first && (sv.get(first.client) ?? 0) <= first.clock) return false
    const { runs, deleted } = extentOf(update)
    if (runs.some(({ client, end }) => (sv.get(client) ?? 0) < end)) return false
    return deleted.clients.size === 0 || Y.equalDeleteSets(ds, Y.mergeDeleteSets([ds, deleted]))
  }

  /** Whether the log has all that a document has seen. What waits there for a change that nobody sent does not count. */
  covers(document: Y.Snapshot): boolean {
    const { sv, ds } = this.#state
    if ([...document.sv].some(([client, end]) => (sv.get(client) ?? 0) < end)) return false
    return document.ds.clients.size === 0 || Y.equalDeleteSets(ds, Y.mergeDeleteSets([ds, document.ds]))
  }

  includes(other: Held): boolean {
    return this.covers(other.#state)
  }

  /** For the provider's sync protocol: it answers with all that comes after. */
  stateVector(): Uint8Array {
    return Y.encodeStateVector(this.#state.sv)
  }

  encode(): Uint8Array {
    return Y.encodeSnapshot(this.#state)
  }

  /** False when some of the update lies behind a gap. */
  #extend(update: Uint8Array): boolean {
    const { runs, deleted } = extentOf(update)
    const vector = this.#state.sv
    let complete = true
    for (const { client, begin, end } of runs) {
      const known = vector.get(client) ?? 0
      if (begin > known) complete = false
      else if (end > known) {
        vector.set(client, end)
        this.#extended = true
      }
    }
    if (deleted.clients.size > 0) {
      this.#state = Y.createSnapshot(Y.mergeDeleteSets([this.#state.ds, deleted]), vector)
    }
    return complete
  }
}

const mostGaps = 100

/** What an update brings, without its content. */
interface Extent {
  /** Unbroken runs of clocks, `end` excluded, in the order of the update. */
  readonly runs: readonly Run[]
  readonly deleted: ReturnType<typeof Y.createDeleteSet>
}

interface Run {
  readonly client: number
  readonly begin: number
  end: number
}

const knownExtents = new WeakMap<Uint8Array, Extent>()

let latest: Uint8Array | undefined

/** What a transaction of this device made is known without decoding it. */
export function noteMade(update: Uint8Array, { beforeState, afterState, deleteSet }: Y.Transaction): void {
  const runs = [...afterState].flatMap(([client, end]) => {
    const begin = beforeState.get(client) ?? 0
    return end > begin ? [{ client, begin, end }] : []
  })
  knownExtents.set(update, { runs, deleted: deleteSet })
  latest = update
}

/** The same bytes; where they are what was made last, those that are known already. */
export function asMade(update: Uint8Array): Uint8Array {
  if (latest?.length !== update.length) return update
  for (let at = 0; at < update.length; at++) if (latest[at] !== update[at]) return update
  return latest
}

/** Kept: decoding is most of the work, and what waits is asked for with every answer of the relay. */
function extentOf(update: Uint8Array): Extent {
  const known = knownExtents.get(update)
  if (known) return known
  const { structs, ds } = decodeOnce(update) ?? { structs: [], ds: Y.createDeleteSet() }
  const runs: Run[] = []
  for (const struct of structs) {
    if (struct instanceof Y.Skip) continue
    const { client, clock } = struct.id
    const last = runs.at(-1)
    if (last?.client === client && last.end === clock) last.end += struct.length
    else runs.push({ client, begin: clock, end: clock + struct.length })
  }
  const extent = { runs, deleted: ds }
  knownExtents.set(update, extent)
  return extent
}

/** Where the update begins, without decoding it: the first four numbers of format V1. Undefined when it only deletes. */
function firstOf(update: Uint8Array): { readonly client: number; readonly clock: number } | undefined {
  const decoder = createDecoder(update)
  const clients = readVarUint(decoder)
  if (clients === 0 || readVarUint(decoder) === 0) return undefined
  return { client: readVarUint(decoder), clock: readVarUint(decoder) }
}

export function decodeHeld(bytes: Uint8Array): Held | undefined {
  try {
    return new Held(Y.decodeSnapshot(bytes))
  } catch {
    return undefined // written by this device, but a disk may return anything
  }
}
