import * as Y from 'yjs'
import { equalBytes } from '../../shared/codec.ts'
import type { Cursor, Position } from '../../shared/cursor.ts'
import { decrypt } from '../../shared/envelope.ts'
import type { SessionKeys } from '../../shared/keys.ts'
import { decodePart, type Part, PartCollector } from '../../shared/parts.ts'
import { mergeInPortions } from './decoded.ts'
import { isAcceptable } from './gate.ts'
import { Held } from './held.ts'

/** How far this device has read the log, as it is remembered across connections and visits. */
export interface LogPlace {
  readonly cursor: Cursor
  readonly held: Held
}

/** A live update, and where its entries are to stand that are not known to be saved. */
interface Unconfirmed {
  readonly places: readonly Place[]
  readonly update: Uint8Array
}

type Place = readonly [origin: string, position: Position]

/** Places of the parts of a live update. One that the relay could not give a place is sent again, and only then gets one. */
interface Parts {
  readonly places: Map<number, readonly Place[]>
  update: Uint8Array | undefined
}

/** Of updates of several parts, those whose parts do not all have a place. */
const mostInParts = 8

/**
 * Turns envelopes of the log into updates, and knows what the log holds. A live entry reaches us before its commit; only
 * when the relay says "saved up to here" does it count as held.
 */
export class LogReader {
  readonly #keys: SessionKeys
  readonly #parts = new PartCollector()
  #cursor: Cursor
  #held: Held
  #unconfirmed: Unconfirmed[] = []
  /** By the name of the update; the oldest comes first. */
  readonly #inParts = new Map<string, Parts>()

  constructor(keys: SessionKeys, place: LogPlace | undefined) {
    this.#keys = keys
    this.#cursor = place?.cursor ?? new Map()
    this.#held = place?.held.copy() ?? new Held()
  }

  /** What the log has committed, to our knowledge. */
  get held(): Held {
    return this.#held
  }

  get cursor(): Cursor {
    return this.#cursor
  }

  /** Undefined while an update has arrived only in part: a cursor behind its first part would lose it. */
  get place(): LogPlace | undefined {
    return this.#parts.waiting ? undefined : { cursor: this.#cursor, held: this.#held.copy() }
  }

  /** The log did not know our cursor and sends everything. */
  startOver(): void {
    this.#cursor = new Map()
    this.#held = new Held()
  }

  /** Undefined for a snapshot that is not one. */
  readSnapshot(envelope: Uint8Array): Uint8Array | undefined {
    const content = decrypt(this.#keys, 'snapshot', envelope)
    return content && isAcceptable(content) ? content : undefined
  }

  /**
   * The update that an entry completes; undefined for a part of one, or for rubbish, which is skipped. Of a live entry the cursor
   * says where it is to stand, and is empty when the store could not be asked: it is noted until it is confirmed.
   */
  readEntry(envelope: Uint8Array, cursor?: Cursor): Uint8Array | undefined {
    const content = decrypt(this.#keys, 'change', envelope)
    const part = content && decodePart(content)
    const whole = part && this.#parts.add(part)
    const update = whole && isAcceptable(whole) ? whole : undefined
    if (part && cursor) this.#await(part, [...cursor], update)
    return update
  }

  /** What lacks a part of it is not held, however much of it is saved. */
  #await({ group, index, count }: Part, places: readonly Place[], update: Uint8Array | undefined): void {
    const name = group.join()
    const known = this.#inParts.get(name) ?? { places: new Map<number, readonly Place[]>(), update }
    known.update ??= update
    if (places.length > 0) known.places.set(index, places)
    this.#inParts.delete(name)
    if (known.update && known.places.size === count) {
      this.#unconfirmed.push({ places: [...known.places.values()].flat(), update: known.update })
    } else if (count > 1) {
      this.#inParts.set(name, known)
      const [oldest] = this.#inParts.keys()
      if (this.#inParts.size > mostInParts && oldest !== undefined) this.#inParts.delete(oldest)
    }
  }

  /** Everything up to the cursor is saved. */
  confirm(cursor: Cursor): void {
    this.#cursor = later(this.#cursor, cursor)
    const isAhead = ([origin, position]: Place) => position.sequence > (cursor.get(origin)?.sequence ?? 0)
    this.#unconfirmed = this.#unconfirmed.flatMap(({ places, update }) => {
      if (places.some((place) => isReplaced(place, cursor))) return []
      const ahead = places.filter(isAhead)
      if (ahead.length === 0) this.#held.add(update)
      return ahead.length > 0 ? [{ places: ahead, update }] : []
    })
  }

  /** Whether the log holds all that the document has seen, or has it on the way from somebody else. */
  sees(document: Y.Doc): boolean {
    const snapshot = Y.snapshot(document)
    if (this.#held.covers(snapshot)) return true
    if (this.#unconfirmed.length === 0) return false
    const seen = this.#held.copy()
    for (const merged of mergeInPortions(this.#unconfirmed.map((entry) => entry.update))) seen.add(merged)
    return seen.covers(snapshot)
  }
}

/** Something else stands at its place: the store refused it, and gave its number to what came next. */
function isReplaced([origin, position]: Place, cursor: Cursor): boolean {
  const there = cursor.get(origin)
  return there?.sequence === position.sequence && !equalBytes(there.mark, position.mark)
}

function later(known: Cursor, cursor: Cursor): Cursor {
  const joined = new Map<string, Position>(known)
  for (const [origin, position] of cursor) {
    if (position.sequence >= (joined.get(origin)?.sequence ?? 0)) joined.set(origin, position)
  }
  return joined
}
