import { joinBytes } from '../../shared/codec.ts'
import { decodeCursorBytes } from '../../shared/cursor.ts'
import { isAcceptable } from '../link/gate.ts'
import { decodeHeld, Held } from '../link/held.ts'
import type { LogPlace } from '../link/log-reader.ts'

/** What a visit finds on the device. */
export interface Found {
  /** One row for each change since the rows were last merged. */
  readonly rows: readonly Uint8Array[]
  readonly place: LogPlace | undefined
  /** Ids of records whose signatures were checked on this device, 16 bytes each. */
  readonly verified: Uint8Array
  /** Rows that could not be read and were deleted: the log brings their content again. */
  readonly repaired: number
}

const updates = 'updates'
const custom = 'custom'
export const placeKey = 'place'
/** Of what was verified before it was kept in pieces. Those have `[verifiedKey, number]`, which comes after it. */
export const verifiedKey = 'verified'

/**
 * Looks through a y-indexeddb database before the library does: one row it cannot apply would make it wait for ever.
 * `whole`, a document, takes the place of the rows it contains, and is on the disk when this resolves.
 * Throws what IndexedDB throws, and when it does not answer in time.
 */
export async function examine(name: string, patience: number, whole?: Uint8Array): Promise<Found> {
  const opening = open(name)
  const db = await within(patience, opening).catch((error: unknown) => {
    // A handle that comes after all would stand in the way of whoever deletes the database.
    opening.then(
      (late) => late.close(),
      () => {},
    )
    throw error
  })
  try {
    const transaction = db.transaction([updates, custom], 'readwrite', { durability: 'strict' })
    const written = completion(transaction)
    written.catch(() => {}) // also when what follows throws first
    const store = transaction.objectStore(updates)
    const rows: Uint8Array[] = []
    let repaired = 0
    const place = result(transaction.objectStore(custom).get(placeKey))
    const verified = result<unknown[]>(
      transaction.objectStore(custom).getAll(IDBKeyRange.lowerBound(verifiedKey)),
    )
    const [keys, values] = await within(
      patience,
      Promise.all([result(store.getAllKeys()), result(store.getAll())]),
    )
    const held = new Held()
    if (whole) held.add(whole)
    values.forEach((row: unknown, at) => {
      if (row instanceof Uint8Array && isAcceptable(row, 'device')) {
        rows.push(row)
        if (!held.contains(row)) return
      } else repaired++
      store.delete(keys[at] as IDBValidKey)
    })
    if (repaired > 0) transaction.objectStore(custom).delete(placeKey)
    if (whole) {
      store.add(whole)
      await within(patience, written)
    }
    return {
      rows,
      place: repaired > 0 ? undefined : parsePlace(await place),
      verified: joinBytes(...(await verified).filter(isIds)),
      repaired,
    }
  } finally {
    db.close()
  }
}

function isIds(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length % 16 === 0
}

function parsePlace(value: unknown): LogPlace | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { cursor, held } = value as { cursor?: unknown; held?: unknown }
  if (!(cursor instanceof Uint8Array) || !(held instanceof Uint8Array)) return undefined
  const place = { cursor: decodeCursorBytes(cursor), held: decodeHeld(held) }
  return place.cursor && place.held ? { cursor: place.cursor, held: place.held } : undefined
}

function open(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name)
  request.onupgradeneeded = () => {
    // The same stores as y-indexeddb makes, so that either of us may be first.
    request.result.createObjectStore(updates, { autoIncrement: true })
    request.result.createObjectStore(custom)
  }
  return result(request)
}

function result<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function completion(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve())
    transaction.addEventListener('abort', () => reject(transaction.error))
  })
}

export class NoAnswer extends Error {}

export function within<Value>(milliseconds: number, promise: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new NoAnswer('The device storage does not answer')), milliseconds)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
