import { IndexeddbPersistence } from 'y-indexeddb'
import type * as Y from 'yjs'
import { encodeCursorBytes } from '../../shared/cursor.ts'
import type { SessionId } from '../../shared/id.ts'
import type { LogPlace } from '../link/log-reader.ts'
import { examine, type Found, placeKey, verifiedKey, within } from './examine.ts'
import { type Trouble, troubleOf, watchWrites } from './writes.ts'

/** Whether the changes are on this device's disk. */
export type DeviceState = 'saved' | 'saving' | { readonly trouble: Trouble }

const patience = 3_000
const rememberAfter = 400
const namePrefix = 'facedown-'

/**
 * The copy of a session on this device: y-indexeddb behind a guard. Its writes are fire-and-forget, one bad row makes it
 * wait for ever, and a dead handle makes it throw in the middle of an edit; here each of these is seen, mended where it
 * can be, and said. When nothing can be kept the session goes on in memory.
 */
export class Replica {
  state: DeviceState = 'saving'
  readonly #doc: Y.Doc
  readonly #name: string
  readonly #changed: () => void
  readonly #verified: () => Uint8Array
  #verifiedKept = 0
  #persistence: IndexeddbPersistence | undefined
  #stopListening = () => {}
  #place: LogPlace | undefined
  #remembering: ReturnType<typeof setTimeout> | undefined
  #writing = 0
  #closed = false

  /** `verified` gives the ids of records that were checked, to be kept for the next visit. */
  constructor(session: SessionId, doc: Y.Doc, changed: () => void, verified: () => Uint8Array) {
    this.#verified = verified
    this.#name = databaseName(session)
    this.#doc = doc
    this.#changed = changed
  }

  /** True for changes that come from the disk. */
  isSource(origin: unknown): boolean {
    return origin !== null && origin === this.#persistence
  }

  /**
   * Loads what is kept into the document, after `foundFirst` has seen it. Never throws: without storage it finds nothing.
   */
  async load(foundFirst: (found: Found) => void): Promise<Found> {
    try {
      const found = await examine(this.#name, patience)
      this.#verifiedKept = found.verified.length
      foundFirst(found)
      await this.#attach()
      this.#become(this.#writing > 0 ? 'saving' : 'saved')
      return found
    } catch (error) {
      this.#become({ trouble: troubleOf(error) })
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
    this.#stopListening()
    await this.#persistence?.destroy()
  }

  async #attach(): Promise<void> {
    const persistence = new IndexeddbPersistence(this.#name, this.#doc)
    this.#persistence = persistence
    const db = await within(patience, persistence._db)
    watchWrites(db, {
      started: () => {
        this.#writing++
        this.#become('saving')
      },
      ended: (error) => {
        this.#writing--
        if (error) this.#become({ trouble: troubleOf(error) })
        else if (this.#writing === 0 && this.state === 'saving') this.#become('saved')
      },
      lost: () => this.#reattach(),
    })
    // The library's own listener would throw into whoever edits when the handle is dead.
    const store = persistence._storeUpdate
    const storeOrReopen = (update: Uint8Array, origin: unknown) => {
      try {
        store(update, origin)
      } catch {
        this.#reattach()
      }
    }
    this.#doc.off('update', store)
    this.#doc.on('update', storeOrReopen)
    this.#stopListening = () => this.#doc.off('update', storeOrReopen)
    await within(patience, persistence.whenSynced)
  }

  /** Opening again writes the whole document, so nothing that the dead handle missed is lost. */
  #reattach(): void {
    if (this.#closed) return
    this.#stopListening()
    this.#persistence?.destroy().catch(() => {}) // the handle is dead already
    this.#persistence = undefined
    this.#writing = 0
    this.#become('saving')
    this.#attach().then(
      () => this.#become(this.#writing > 0 ? 'saving' : 'saved'),
      (error) => this.#become({ trouble: troubleOf(error) }),
    )
  }

  #writePlace(): void {
    this.#remembering = undefined
    const place = this.#place
    if (!place || !this.#persistence || this.#closed) return
    if (this.#writing > 0) {
      this.#remembering = setTimeout(() => this.#writePlace(), rememberAfter)
      return
    }
    const kept = { cursor: encodeCursorBytes(place.cursor), held: place.held.encode() }
    // Losing it costs reading the log again.
    this.#persistence.set(placeKey, kept as unknown as ArrayBuffer).catch(() => {})
    const verified = this.#verified()
    if (verified.length === this.#verifiedKept) return
    this.#verifiedKept = verified.length
    this.#persistence.set(verifiedKey, verified as unknown as ArrayBuffer).catch(() => {})
  }

  #become(state: DeviceState): void {
    this.state = state
    this.#changed()
  }
}

export function databaseName(session: SessionId): string {
  return namePrefix + session
}

/** Removes the copies of sessions that this device has no keys of any more. */
export async function deleteReplicasExcept(kept: () => readonly SessionId[]): Promise<void> {
  // Older browsers cannot list databases: there the copy stays, unreachable without its keys.
  const databases = (await globalThis.indexedDB?.databases?.()) ?? []
  const names = new Set<string | undefined>(kept().map(databaseName)) // after the listing: a session is kept before it has a copy
  for (const { name } of databases) {
    if (name?.startsWith(namePrefix) && !names.has(name)) indexedDB.deleteDatabase(name)
  }
}
