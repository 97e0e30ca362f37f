import * as Y from 'yjs'
import { equalBytes } from '../../shared/codec.ts'
import type { Cursor, Position } from '../../shared/cursor.ts'
import { decrypt } from '../../shared/envelope.ts'
import type { SessionKeys } from '../../shared/keys.ts'
import { decodePart, PartCollector } from '../../shared/parts.ts'
import { mergeInPortions } from './decoded.ts'
import { isAcceptable } from './gate.ts'
import { Held } from './held.ts'

/** How far this device has read the log, as it is remembered across connections and visits. */
export interface LogPlace {
  readonly cursor: Cursor
  readonly held: Held
}

/** A live entry, and where it is to stand. */
interface Unconfirmed {
  readonly origin: string
  readonly position: Position
  readonly update: Uint8Array
}

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

  /** The update that an entry completes; undefined for a part of one, or for rubbish, which is skipped. */
  readEntry(envelope: Uint8Array): Uint8Array | undefined {
    const content = decrypt(this.#keys, 'change', envelope)
    const part = content && decodePart(content)
    const update = part && this.#parts.add(part)
    return update && isAcceptable(update) ? update : undefined
  }

  /** Notes a live entry's place until it is confirmed. */
  await(cursor: Cursor, update: Uint8Array): void {
    for (const [origin, position] of cursor) this.#unconfirmed.push({ origin, position, update })
  }

  /** Everything up to the cursor is saved. */
  confirm(cursor: Cursor): void {
    this.#cursor = later(this.#cursor, cursor)
    const reached = ({ origin, position }: Unconfirmed) =>
      position.sequence <= (cursor.get(origin)?.sequence ?? 0)
    for (const entry of this.#unconfirmed.filter(reached)) {
      if (!isReplaced(entry, cursor)) this.#held.add(entry.update)
    }
    this.#unconfirmed = this.#unconfirmed.filter((entry) => !reached(entry))
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
function isReplaced({ origin, position }: Unconfirmed, cursor: Cursor): boolean {
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
