import { IndexeddbPersistence } from 'y-indexeddb'
import * as Y from 'yjs'
import { encodeCursorBytes } from '../../shared/cursor.ts'
import type { SessionId } from '../../shared/id.ts'
import type { LogPlace } from '../link/log-reader.ts'
import { examine, type Found, placeKey, verifiedKey, within } from './examine.ts'
import { type Trouble, troubleOf, watchWrites } from './writes.ts'

/** Whether the changes are on this device's disk. */
export type DeviceState = 'saved' | 'saving' | { readonly trouble: Trouble }

/** How long the device may take to answer: nothing is shown before. */
const patience = 2_000
const retryAfter = { first: 2_000, longest: 60_000 }
const rememberAfter = 400
/** So many ids of what was verified are kept together: a piece is written again while it grows, and never when it is full. */
const piece = 256
export const namePrefix = 'facedown-'

/**
 * The copy of a session on this device: y-indexeddb behind a guard. Its writes are fire-and-forget, one bad row makes it
 * wait for ever, and a dead handle makes it throw in the middle of an edit; here each of these is seen, mended where it
 * can be, and said. When nothing can be kept the session goes on in memory, and tries again from time to time.
 */
export class Replica {
  state: DeviceState = 'saving'
  readonly #doc: Y.Doc
  readonly #name: string
  readonly #changed: () => void
  readonly #verified: (from: number, to: number) => Uint8Array
  readonly #taken: () => void
  #verifiedKept = 0
  #persistence: IndexeddbPersistence | undefined
  #stopListening = () => {}
  #place: LogPlace | undefined
  #remembering: ReturnType<typeof setTimeout> | undefined
  #retrying: ReturnType<typeof setTimeout> | undefined
  #retryAfter = retryAfter.first
  #wasTaken = false
  #writing = 0
  #closed = false

  /**
   * `verified` gives the ids of records that were checked, in an order that stays, to be kept for the next visit. `taken` is called when there is
   * a copy again after the browser had taken what this device kept.
   */
  constructor(
    session: SessionId,
    doc: Y.Doc,
    changed: () => void,
    verified: (from: number, to: number) => Uint8Array,
    taken: () => void = () => {},
  ) {
    this.#verified = verified
    this.#taken = taken
    this.#name = databaseName(session)
    this.#doc = doc
    this.#changed = changed
  }

  /** True for changes that come from the disk. */
  isSource(origin: unknown): boolean {
    return origin !== null && origin === this.#persistence
  }

  /**
   * Loads what is kept into the document, after `foundFirst` has seen it and said how many are verified by it. Never throws:
   * without storage it finds nothing.
   */
  async load(foundFirst: (found: Found) => number): Promise<Found> {
    try {
      return await this.#open(foundFirst)
    } catch (error) {
      this.#failed(error)
      return { rows: [], place: undefined, verified: new Uint8Array(), repaired: 0 }
    }
  }

  /** Keeps how far the log was read: after, and only after, what was read is on the disk. */
  remember(place: LogPlace): void {
    this.#place = place
    this.#remembering ??= setTimeout(() => this.#writePlace(), rememberAfter)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#remembering)
    clearTimeout(this.#retrying)
    this.#stopListening()
    const closed = this.#persistence?.destroy()
    // Nobody waits for storage that does not answer to leave a page.
    if (closed) await within(patience, closed).catch(() => {})
  }

  async #open(foundFirst: (found: Found) => number, whole?: Uint8Array): Promise<Found> {
    const since = Y.encodeStateVector(this.#doc)
    const found = await examine(this.#name, patience, whole)
    this.#verifiedKept = foundFirst(found)
    if (this.#closed) return found
    const persistence = await this.#attach()
    // What came meanwhile is in a row of the library's that nobody waits for.
    if (whole) persistence._storeUpdate(Y.encodeStateAsUpdate(this.#doc, since), undefined)
    this.#settle()
    return found
  }

  async #attach(): Promise<IndexeddbPersistence> {
    const persistence = new IndexeddbPersistence(this.#name, this.#doc)
    this.#persistence = persistence
    const current = () => this.#persistence === persistence
    const db = await within(patience, persistence._db)
    watchWrites(db, {
      started: () => {
        this.#writing++
        if (this.state === 'saved') this.#become('saving')
      },
      ended: (error) => {
        if (!current()) return
        this.#writing--
        if (error) this.#failed(error)
        else this.#settle()
      },
      lost: (how) => {
        this.#wasTaken ||= how === 'taken' // also when its writes failed before it was told
        if (current()) this.#reopen()
      },
    })
    // The library's own listener would throw into whoever edits when the handle is dead.
    const store = persistence._storeUpdate
    const storeOrReopen = (update: Uint8Array, origin: unknown) => {
      try {
        store(update, origin)
      } catch {
        this.#reopen()
      }
    }
    this.#doc.off('update', store)
    this.#doc.on('update', storeOrReopen)
    this.#stopListening = () => this.#doc.off('update', storeOrReopen)
    return within(patience, persistence.whenSynced)
  }

  #detach(): void {
    this.#stopListening()
    this.#persistence?.destroy().catch(() => {}) // the handle is dead already
    this.#persistence = undefined
    this.#writing = 0
  }

  /** With the whole document, so that nothing is missing which could not be written before. */
  #reopen(): void {
    this.#detach()
    if (this.#closed) return
    if (this.state === 'saved') this.#become('saving')
    this.#open(() => 0, Y.encodeStateAsUpdate(this.#doc)).then(
      () => {
        if (this.#wasTaken) this.#taken()
        this.#wasTaken = false
      },
      (error) => this.#failed(error),
    )
  }

  #failed(error: unknown): void {
    this.#detach()
    if (this.#closed) return
    this.#become({ trouble: troubleOf(error) })
    clearTimeout(this.#retrying)
    this.#retrying = setTimeout(() => this.#reopen(), this.#retryAfter)
    this.#retryAfter = Math.min(this.#retryAfter * 2, retryAfter.longest)
  }

  /** Says that everything is kept, once it is. */
  #settle(): void {
    if (this.#writing > 0) return
    this.#retryAfter = retryAfter.first
    this.#become('saved')
  }

  #writePlace(): void {
    this.#remembering = undefined
    const place = this.#place
    if (!place || !this.#persistence || this.#closed) return
    if (this.#writing > 0) {
      this.#remembering = setTimeout(() => this.#writePlace(), rememberAfter)
      return
    }
    // Losing it costs reading the log again, and checking some signatures.
    this.#persistence._db.then((db) => this.#write(db, place)).catch(() => {})
  }

  #write(db: IDBDatabase, { cursor, held }: LogPlace): void {
    const custom = db.transaction('custom', 'readwrite').objectStore('custom')
    custom.put({ cursor: encodeCursorBytes(cursor), held: held.encode() }, placeKey)
    for (let at = this.#verifiedKept - (this.#verifiedKept % piece); ; at += piece) {
      const ids = this.#verified(at, at + piece)
      const end = ids.length && at + ids.length / 16
      if (end <= this.#verifiedKept) return
      custom.put(ids, [verifiedKey, at])
      this.#verifiedKept = end
    }
  }

  #become(state: DeviceState): void {
    this.state = state
    this.#changed()
  }
}

export function databaseName(session: SessionId): string {
  return namePrefix + session
}
