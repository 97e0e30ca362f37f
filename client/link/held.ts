import * as Y from 'yjs'

/**
 * What the log holds of the document: a state vector and the deletions. A state vector alone would make every client
 * upload all deletions again on each connecting.
 */
export class Held {
  #state: Y.Snapshot
  /** Updates that do not continue what is held: the log has a gap before them. */
  #gaps: Uint8Array[] = []

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
    let before: number
    do {
      before = this.#gaps.length
      this.#gaps = this.#gaps.filter((gap) => !this.#extend(gap))
    } while (this.#gaps.length > 0 && this.#gaps.length < before)
    // A gap that never closes costs an upload of what is behind it, nothing else.
    if (this.#gaps.length > mostGaps) this.#gaps.shift()
  }

  contains(update: Uint8Array): boolean {
    const { sv } = this.#state
    for (const [client, end] of endsOf(update)) if ((sv.get(client) ?? 0) < end) return false
    return Y.snapshotContainsUpdate(this.#state, update)
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
    const { structs, ds } = Y.decodeUpdate(update)
    const vector = this.#state.sv
    let complete = true
    for (const struct of structs) {
      if (struct instanceof Y.Skip) continue
      const { client, clock } = struct.id
      const known = vector.get(client) ?? 0
      if (clock > known) complete = false
      else vector.set(client, Math.max(known, clock + struct.length))
    }
    this.#state = Y.createSnapshot(Y.mergeDeleteSets([this.#state.ds, ds]), vector)
    return complete
  }
}

const mostGaps = 100

const knownEnds = new WeakMap<Uint8Array, ReadonlyMap<number, number>>()

/** Up to which clock of each client an update goes. Kept: what waits is asked for with every answer of the relay. */
function endsOf(update: Uint8Array): ReadonlyMap<number, number> {
  const known = knownEnds.get(update)
  if (known) return known
  const ends = new Map<number, number>()
  for (const struct of Y.decodeUpdate(update).structs) {
    if (struct instanceof Y.Skip) continue
    const { client, clock } = struct.id
    ends.set(client, Math.max(ends.get(client) ?? 0, clock + struct.length))
  }
  knownEnds.set(update, ends)
  return ends
}

export function decodeHeld(bytes: Uint8Array): Held | undefined {
  try {
    return new Held(Y.decodeSnapshot(bytes))
  } catch {
    return undefined // written by this device, but a disk may return anything
  }
}
