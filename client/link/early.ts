import * as Y from 'yjs'
import { decodeOnce } from './decoded.ts'

const most = { updates: 200, bytes: 1 << 20, missed: 100 } as const
/** What comes in between before one that waits is let go: until then this device cannot say that it has all of the log. */
const patience = 1000

interface Waiting {
  readonly update: Uint8Array
  readonly lacks: Place
  /** How many updates had come before it. */
  readonly since: number
}

/** What has to be there first. */
interface Place {
  readonly client: number
  readonly clock: number
}

/**
 * Updates that came before what they build on. Yjs would keep all of them and merge them anew with each that comes: 2,000
 * cost 9 s. Here a few wait, outside the document, and go to Yjs together in the end; the others are let go.
 */
export class Early {
  readonly #doc: Y.Doc
  readonly #missed: (() => void) | undefined
  #waiting: Waiting[] = []
  #bytes = 0
  #come = 0
  /** The document has more than when it was last looked for what those need that wait. */
  #grown = false
  /** What those waited for that were let go. */
  #gone: Place[] = []

  /** `missed` is called when something has come that an update waited for which is gone: the log has to be read again. */
  constructor(doc: Y.Doc, missed?: () => void) {
    this.#doc = doc
    this.#missed = missed
    doc.on('update', () => {
      this.#grown = true
    })
  }

  /** True while the document lacks something of the log that has been read. */
  get waits(): boolean {
    return this.#waiting.length > 0
  }

  /** Those that may be applied now, in this order; with them those that waited for them. */
  sort(updates: readonly Uint8Array[]): Uint8Array[] {
    const known = new Known(this.#doc)
    const ready: Uint8Array[] = []
    if (this.#grown) this.#release(known, ready)
    this.#grown = false
    for (const update of updates) {
      this.#come++
      const lacks = known.lacks(update)
      if (lacks) this.#keep({ update, lacks, since: this.#come })
      else {
        ready.push(update)
        known.add(update)
        this.#release(known, ready)
      }
      this.#letGo()
    }
    if (ready.length > 0 && this.#gone.some((place) => known.has(place))) {
      this.#gone = []
      this.#missed?.()
    }
    return ready
  }

  /**
   * All that waits, as one update. What builds on it is lost somewhere when it did not come with the log or in some seconds, and
   * Yjs applies the parts that miss nothing. Undefined, and let go, when Yjs has enough of these.
   */
  takeRest(): Uint8Array | undefined {
    const waiting = this.#waiting
    this.#waiting = []
    this.#bytes = 0
    const kept = this.#doc.store.pendingStructs?.update.length ?? 0
    if (kept > most.bytes) for (const { lacks } of waiting) this.#miss(lacks)
    if (waiting.length === 0 || kept > most.bytes) return undefined
    return Y.mergeUpdates(waiting.map(({ update }) => update))
  }

  #keep(waiting: Waiting): void {
    this.#waiting.push(waiting)
    this.#bytes += waiting.update.length
  }

  #letGo(): void {
    for (;;) {
      const [oldest] = this.#waiting
      const tooMany = this.#waiting.length > most.updates || this.#bytes > most.bytes
      if (!oldest || !(tooMany || this.#come - oldest.since > patience)) return
      this.#waiting.shift()
      this.#bytes -= oldest.update.length
      this.#miss(oldest.lacks)
    }
  }

  #miss(place: Place): void {
    if (this.#gone.length < most.missed) this.#gone.push(place)
  }

  #release(known: Known, ready: Uint8Array[]): void {
    while (this.#waiting.some(({ lacks }) => known.has(lacks))) {
      const waiting = this.#waiting
      this.#waiting = []
      this.#bytes = 0
      for (const each of waiting) {
        const lacks = known.has(each.lacks) ? known.lacks(each.update) : each.lacks
        if (lacks) this.#keep({ ...each, lacks })
        else {
          ready.push(each.update)
          known.add(each.update)
        }
      }
    }
  }
}

/** What a document has, and will have once some updates are applied. */
class Known {
  readonly #doc: Y.Doc
  readonly #ends = new Map<number, number>()

  constructor(doc: Y.Doc) {
    this.#doc = doc
  }

  has({ client, clock }: Place): boolean {
    return clock < this.#end(client)
  }

  add(update: Uint8Array): void {
    for (const [client, end] of this.#endsWith(update)) this.#ends.set(client, end)
  }

  /** The first thing that is missing; undefined when everything is there, or comes with the update itself. */
  lacks(update: Uint8Array): Place | undefined {
    const decoded = decodeOnce(update)
    if (!decoded) return undefined
    const ends = this.#endsWith(update)
    const isMissing = ({ client, clock }: Place) => clock >= (ends.get(client) ?? this.#end(client))
    for (const struct of decoded.structs) {
      if (struct instanceof Y.Skip) continue
      const { client, clock } = struct.id
      if (clock > 0 && isMissing({ client, clock: clock - 1 })) return { client, clock: clock - 1 }
      if (!(struct instanceof Y.Item)) continue
      const parent: unknown = struct.parent
      for (const needed of [struct.origin, struct.rightOrigin, parent]) {
        if (needed instanceof Y.ID && isMissing(needed)) return { client: needed.client, clock: needed.clock }
      }
    }
    for (const [client, ranges] of decoded.ds.clients) {
      const clock = ranges.reduce((end, range) => Math.max(end, range.clock + range.len), 0) - 1
      if (isMissing({ client, clock })) return { client, clock }
    }
    return undefined
  }

  #endsWith(update: Uint8Array): Map<number, number> {
    const ends = new Map<number, number>()
    for (const struct of decodeOnce(update)?.structs ?? []) {
      const { client, clock } = struct.id
      const end = ends.get(client) ?? this.#end(client)
      if (!(struct instanceof Y.Skip) && clock <= end) ends.set(client, Math.max(end, clock + struct.length))
    }
    return ends
  }

  #end(client: number): number {
    return this.#ends.get(client) ?? Y.getState(this.#doc.store, client)
  }
}
