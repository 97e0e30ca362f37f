import * as Y from 'yjs'
import { decodeHeld } from '../../client/link/held.ts'
import type { LogPlace } from '../../client/link/log-reader.ts'
import type { Found } from '../../client/replica/examine.ts'
import { decodeCursorBytes, encodeCursorBytes } from '../../shared/cursor.ts'
import type { SessionId } from '../../shared/id.ts'
import type { Life, VirtualClock } from './virtual-clock.ts'

const rememberAfter = 400

interface KeptPlace {
  readonly cursor: Uint8Array
  readonly held: Uint8Array
}

type Write = { readonly row: Uint8Array } | { readonly place: KeptPlace } | { readonly verified: Uint8Array }

interface Unsynced {
  readonly write: Write
  /** The tab's. */
  readonly owner: object
  readonly life: Life
  readonly changed: () => void
}

/** The disk of a device. Writes are synced one after the other; what is not when its tab crashes is lost. */
export class DeviceDisk {
  rows: Uint8Array[] = []
  place: KeptPlace | undefined
  verified = new Uint8Array()
  readonly clock: VirtualClock
  readonly #slowness: () => number
  #unsynced: Unsynced[] = []
  #syncing: Unsynced | undefined

  constructor(clock: VirtualClock, slowness: () => number) {
    this.clock = clock
    this.#slowness = slowness
  }

  unsyncedRows(owner: object): number {
    return this.#unsynced.filter((each) => each.owner === owner && 'row' in each.write).length
  }

  write(write: Write, owner: object, changed: () => void): void {
    this.#unsynced.push({ write, owner, life: this.clock.life, changed })
    this.#sync()
  }

  crash(owner: object): void {
    this.#unsynced = this.#unsynced.filter((each) => each.owner !== owner)
    if (this.#syncing?.owner !== owner) return
    this.#syncing = undefined
    this.#sync()
  }

  #sync(): void {
    const [next] = this.#unsynced
    if (this.#syncing || !next) return
    this.#syncing = next
    const synced = () => {
      this.#syncing = undefined
      this.#unsynced.shift()
      const { write } = next
      if ('row' in write) this.rows.push(write.row)
      else if ('place' in write) this.place = write.place
      else this.verified = write.verified.slice()
      if (this.rows.length > 200) this.rows = [Y.mergeUpdates(this.rows)]
      next.changed()
      this.#sync()
    }
    this.clock.after(this.#slowness(), synced, next.life)
  }
}

let disk: DeviceDisk | undefined

/** The next replica is on this disk. */
export function insert(inserted: DeviceDisk): void {
  disk = inserted
}

/** Stands for `client/replica/replica.ts`, whose IndexedDB knows no virtual time: the same promises on a virtual disk. */
export class Replica {
  state: 'saved' | 'saving' = 'saving'
  readonly #doc: Y.Doc
  readonly #changed: () => void
  readonly #verified: () => Uint8Array
  readonly #disk: DeviceDisk
  #place: LogPlace | undefined
  #remembering: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(_session: SessionId, doc: Y.Doc, changed: () => void, verified: () => Uint8Array) {
    if (!disk) throw new Error('No disk is inserted')
    this.#disk = disk
    this.#doc = doc
    this.#changed = changed
    this.#verified = verified
  }

  isSource(origin: unknown): boolean {
    return origin === this
  }

  async load(foundFirst: (found: Found) => void): Promise<Found> {
    const { rows, place, verified } = this.#disk
    const cursor = place && decodeCursorBytes(place.cursor)
    const held = place && decodeHeld(place.held)
    const found: Found = { rows: [...rows], place: cursor && held && { cursor, held }, verified, repaired: 0 }
    foundFirst(found)
    Y.transact(this.#doc, () => apply(rows, this.#doc), this, false)
    this.#doc.on('update', (row: Uint8Array, origin: unknown) => {
      if (origin !== this && !this.#closed) this.#write({ row })
    })
    this.#become()
    return found
  }

  remember(place: LogPlace): void {
    this.#place = place
    this.#remembering ??= setTimeout(() => this.#writePlace(), rememberAfter)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#remembering)
  }

  #writePlace(): void {
    this.#remembering = undefined
    const place = this.#place
    if (!place || this.#closed) return
    if (this.#disk.unsyncedRows(this) > 0) {
      this.#remembering = setTimeout(() => this.#writePlace(), rememberAfter)
      return
    }
    this.#write({ place: { cursor: encodeCursorBytes(place.cursor), held: place.held.encode() } })
    this.#write({ verified: this.#verified() })
  }

  #write(write: Write): void {
    this.#disk.write(write, this, () => this.#become())
    this.#become()
  }

  #become(): void {
    this.state = this.#disk.unsyncedRows(this) > 0 ? 'saving' : 'saved'
    this.#changed()
  }
}

function apply(rows: readonly Uint8Array[], doc: Y.Doc): void {
  for (const row of rows) Y.applyUpdate(doc, row)
}
