import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { joinBytes } from '../../shared/codec.ts'
import { addStories, readStories } from '../../shared/document.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { Held } from '../link/held.ts'
import type { LogPlace } from '../link/log-reader.ts'
import { deleteReplicasExcept } from './forgotten.ts'
import { databaseName, Replica } from './replica.ts'

const { session } = createSessionKeys()

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
})

afterEach(() => {
  vi.restoreAllMocks()
})

function open(doc = new Y.Doc(), ledger = new FakeLedger()) {
  const replica = new Replica(
    session,
    doc,
    () => {},
    (from, to) => ledger.verified(from, to),
  )
  return { doc, replica, ledger, found: replica.load((found) => ledger.trust(found.verified)) }
}

/** Verifies whatever it is asked to. */
class FakeLedger {
  readonly #ids: number[] = []

  /** Records of these numbers. */
  verify(from: number, to: number): void {
    for (let at = from; at < to; at++) if (!this.#ids.includes(at)) this.#ids.push(at)
  }

  verified(from: number, to: number): Uint8Array {
    return joinBytes(
      ...this.#ids.slice(from, to).map((at) => new Uint8Array(new Uint32Array([at, 0, 0, 0]).buffer)),
    )
  }

  trust(verified: Uint8Array): number {
    const view = new DataView(verified.buffer, verified.byteOffset)
    for (let at = 0; at < verified.length; at += 16)
      this.verify(view.getUint32(at, true), view.getUint32(at, true) + 1)
    return this.#ids.length
  }

  get size(): number {
    return this.#ids.length
  }
}

const place: LogPlace = { cursor: new Map(), held: new Held() }

/** Bytes of what was verified that are written to the disk from now on. */
function countWritten(): () => number {
  let bytes = 0
  const put = IDBObjectStore.prototype.put
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, value, key) {
    if (value instanceof Uint8Array) bytes += value.length
    return put.call(this, value, key)
  })
  return () => bytes
}

/** How many records a next visit need not check. */
async function keptVerified(): Promise<number> {
  const { replica, ledger, found } = open()
  await found
  await replica.close()
  return ledger.size
}

async function visit(titles: string[]): Promise<void> {
  const { doc, replica, found } = open()
  await found
  addStories(
    doc,
    titles.map((title) => ({ title })),
  )
  await vi.waitFor(() => expect(replica.state).toBe('saved'))
  await replica.close()
}

function database(): Promise<IDBDatabase> {
  return new Promise((resolve) => {
    const request = indexedDB.open(databaseName(session))
    request.onsuccess = () => resolve(request.result)
  })
}

async function putCustom(value: unknown, key: IDBValidKey): Promise<void> {
  const db = await database()
  const transaction = db.transaction('custom', 'readwrite')
  transaction.objectStore('custom').put(value, key)
  await new Promise((resolve) => transaction.addEventListener('complete', resolve))
  db.close()
}

/** All that are opened from now on. */
function watchHandles(): readonly IDBDatabase[] {
  const handles: IDBDatabase[] = []
  const openDatabase = indexedDB.open.bind(indexedDB)
  vi.spyOn(indexedDB, 'open').mockImplementation((name) => {
    const request = openDatabase(name)
    request.addEventListener('success', () => handles.push(request.result))
    return request
  })
  return handles
}

async function addRow(row: unknown): Promise<void> {
  const db = await database()
  const transaction = db.transaction('updates', 'readwrite')
  transaction.objectStore('updates').add(row)
  await new Promise((resolve) => transaction.addEventListener('complete', resolve))
  db.close()
}

test('what was done in one visit is there in the next', async () => {
  await visit(['one'])
  await visit(['two'])
  const { doc, replica, found } = open()
  expect((await found).repaired).toBe(0)
  expect(readStories(doc).map((story) => story.title)).toEqual(['one', 'two'])
  await replica.close()
})

test('a corrupt row is deleted, the rest is there, and the log will be read again', async () => {
  await visit(['kept'])
  await addRow(new Uint8Array([255, 254, 253]))
  await addRow('not bytes at all')
  const { doc, replica, found } = open()
  expect(await found).toMatchObject({ repaired: 2, place: undefined })
  expect(readStories(doc).map((story) => story.title)).toEqual(['kept'])
  await replica.close()
  const again = open()
  expect((await again.found).repaired).toBe(0)
  await again.replica.close()
})

test('the place in the log and what was verified are kept for the next visit', async () => {
  const { doc, replica, ledger, found } = open()
  await found
  ledger.verify(0, 1)
  addStories(doc, [{ title: 'one' }])
  const held = new Held()
  held.add(Y.encodeStateAsUpdate(doc))
  const cursor = new Map([['eu.abc', { sequence: 3, mark: new Uint8Array(8).fill(1) }]])
  replica.remember({ cursor, held })
  const kept = async () => {
    const next = open()
    const there = await next.found
    await next.replica.close()
    return there
  }
  await vi.waitFor(async () => expect((await kept()).verified.length).toBe(16))
  const { place } = await kept()
  expect(place?.cursor).toEqual(cursor)
  expect(place?.held.contains(Y.encodeStateAsUpdate(doc))).toBe(true)
  await replica.close()
})

test('of thousands that are verified only the newest are written again', async () => {
  const { replica, ledger, found } = open()
  await found
  ledger.verify(0, 5_000)
  replica.remember(place)
  await vi.waitFor(async () => expect(await keptVerified()).toBe(5_000))
  const written = countWritten()
  for (const more of [5_001, 5_002, 5_300]) {
    ledger.verify(0, more)
    replica.remember(place)
    await vi.waitFor(async () => expect(await keptVerified()).toBe(more))
  }
  expect(written()).toBeLessThan(5_000 * 4)
  const before = written()
  replica.remember(place)
  await vi.waitFor(() => expect(replica.state).toBe('saved'))
  await replica.close()
  expect(written()).toBe(before)
})

test('a next visit goes on where the last one had written', async () => {
  for (const all of [300, 700, 701]) {
    const { replica, ledger, found } = open()
    await found
    const written = countWritten()
    ledger.verify(0, all)
    replica.remember(place)
    await vi.waitFor(async () => expect(await keptVerified()).toBe(all))
    await replica.close()
    expect(written()).toBeLessThanOrEqual(700 * 16)
    vi.restoreAllMocks()
  }
  const written = countWritten()
  const { replica, ledger, found } = open()
  await found
  ledger.verify(0, 702)
  replica.remember(place)
  await vi.waitFor(async () => expect(await keptVerified()).toBe(702))
  expect(written()).toBeLessThanOrEqual(256 * 16)
  await replica.close()
})

test('what was verified before it was kept in pieces is taken over', async () => {
  await visit(['one'])
  const before = new FakeLedger()
  before.verify(0, 300)
  await putCustom(before.verified(0, 300), 'verified')
  const { replica, ledger, found } = open()
  await found
  expect(ledger.size).toBe(300)
  ledger.verify(0, 310)
  replica.remember(place)
  await vi.waitFor(async () => expect(await keptVerified()).toBe(310))
  await replica.close()
})

test('a piece that is no list of ids is left out', async () => {
  await visit(['one'])
  const kept = new FakeLedger()
  kept.verify(0, 3)
  await putCustom(new Uint8Array(7), 'verified')
  await putCustom('nothing', ['verified', 0])
  await putCustom(kept.verified(0, 3), ['verified', 256])
  expect(await keptVerified()).toBe(3)
})

test('when the handle died all that is verified is written again', async () => {
  const handles = watchHandles()
  const { doc, replica, ledger, found } = open()
  await found
  ledger.verify(0, 300)
  replica.remember(place)
  await vi.waitFor(async () => expect(await keptVerified()).toBe(300))
  globalThis.indexedDB = new IDBFactory() // as when the browser took what this device kept
  for (const handle of handles) handle.close()
  addStories(doc, [{ title: 'one' }])
  await vi.waitFor(() => expect(replica.state).toBe('saved'))
  replica.remember(place)
  await vi.waitFor(async () => expect(await keptVerified()).toBe(300))
  await replica.close()
})

test('without any storage the session goes on in memory and says why', async () => {
  globalThis.indexedDB = {
    open: () => {
      throw new DOMException('The user denied permission', 'SecurityError')
    },
  } as unknown as IDBFactory
  const { doc, replica, found } = open()
  expect((await found).rows).toEqual([])
  expect(replica.state).toEqual({ trouble: 'unavailable' })
  addStories(doc, [{ title: 'still works' }])
  expect(readStories(doc)).toHaveLength(1)
  await replica.close()
})

test('after a write that failed the whole document is written, as soon as that works', async () => {
  let works = true
  const transaction = IDBDatabase.prototype.transaction
  vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (this: IDBDatabase, ...args) {
    const made = transaction.apply(this, args)
    if (!works && args[1] === 'readwrite') queueMicrotask(() => made.abort())
    return made
  })
  const { doc, replica, found } = open()
  await found
  works = false
  addStories(doc, [{ title: 'one' }])
  await vi.waitFor(() => expect(replica.state).toEqual({ trouble: 'broken' }))
  addStories(doc, [{ title: 'two' }])
  works = true
  await vi.waitFor(() => expect(replica.state).toBe('saved'), { timeout: 8_000 })
  await replica.close()
  const next = open()
  await next.found
  expect(readStories(next.doc).map((story) => story.title)).toEqual(['one', 'two'])
  await next.replica.close()
})

test('what the browser takes in the middle of a write is worth keeping again, too', async () => {
  const closed: (() => void)[] = []
  const listen = IDBDatabase.prototype.addEventListener
  vi.spyOn(IDBDatabase.prototype, 'addEventListener').mockImplementation(function (this: IDBDatabase, ...on) {
    if (on[0] === 'close') closed.push(on[1] as () => void)
    listen.apply(this, on)
  })
  const writes: IDBTransaction[] = []
  const transaction = IDBDatabase.prototype.transaction
  vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (this: IDBDatabase, ...args) {
    const made = transaction.apply(this, args)
    writes.push(made)
    return made
  })
  const doc = new Y.Doc()
  const taken = vi.fn()
  const replica = new Replica(
    session,
    doc,
    () => {},
    () => new Uint8Array(),
    taken,
  )
  await replica.load(() => 0)
  addStories(doc, [{ title: 'one' }])
  writes.at(-1)?.abort()
  await vi.waitFor(() => expect(replica.state).toEqual({ trouble: 'broken' }))
  closed.at(-1)?.()
  await vi.waitFor(() => expect(replica.state).toBe('saved'), { timeout: 8_000 })
  await vi.waitFor(() => expect(taken).toHaveBeenCalledOnce())
  await replica.close()
})

test('a session whose storage falls silent while it opens is left all the same', async () => {
  await visit(['kept'])
  const openDatabase = indexedDB.open.bind(indexedDB)
  let opened = 0
  const second = new Promise<void>((resolve) => {
    vi.spyOn(indexedDB, 'open').mockImplementation((name) => {
      if (++opened === 1) return openDatabase(name)
      resolve()
      return new EventTarget() as unknown as IDBOpenDBRequest
    })
  })
  const { replica, found } = open()
  await second
  await replica.close()
  await found
})

test('storage that does not answer is waited for two seconds, and what is there is taken when it does', async () => {
  await visit(['kept'])
  const openDatabase = indexedDB.open.bind(indexedDB)
  let answers = false
  vi.spyOn(indexedDB, 'open').mockImplementation((name) =>
    answers ? openDatabase(name) : (new EventTarget() as unknown as IDBOpenDBRequest),
  )
  const { doc, replica, found } = open()
  await found
  expect(replica.state).toEqual({ trouble: 'silent' })
  addStories(doc, [{ title: 'made meanwhile' }])
  answers = true
  await vi.waitFor(() => expect(replica.state).toBe('saved'), { timeout: 8_000 })
  expect(readStories(doc).map((story) => story.title)).toEqual(
    expect.arrayContaining(['kept', 'made meanwhile']),
  )
  await replica.close()
})

test('a handle that dies is opened again, and nothing that was done meanwhile is lost', async () => {
  const handles = watchHandles()
  const { doc, replica, found } = open()
  await found
  const opened = handles.length
  handles.at(-1)?.close() // as Safari does to a page in the background
  addStories(doc, [{ title: 'one' }])
  addStories(doc, [{ title: 'two' }])
  await vi.waitFor(() => expect(replica.state).toBe('saved'))
  expect(handles.length).toBe(opened + 2) // ours to look through it, and the library's
  await replica.close()
  const next = open()
  await next.found
  expect(readStories(next.doc).map((story) => story.title)).toEqual(['one', 'two'])
  await next.replica.close()
})

test('what is done while a handle is opened again counts as saved only when it is on the disk', async () => {
  const handles = watchHandles()
  const { doc, replica, found } = open()
  await found
  const add = IDBObjectStore.prototype.add
  let added = 0
  vi.spyOn(IDBObjectStore.prototype, 'add').mockImplementation(function (this: IDBObjectStore, row) {
    added++
    if (added === 1) addStories(doc, [{ title: 'made meanwhile' }]) // while the whole document is written
    const isLost = added === 2 // the library writes it, too, and does not look whether that worked
    return add.call(this, isLost ? Uint8Array.of(0, 0) : row)
  })
  handles.at(-1)?.close()
  addStories(doc, [{ title: 'made before' }])
  await vi.waitFor(() => expect(replica.state).toBe('saved'))
  expect(added).toBeGreaterThan(1)
  await replica.close()
  const next = open()
  await next.found
  expect(readStories(next.doc).map((story) => story.title)).toEqual(['made before', 'made meanwhile'])
  await next.replica.close()
})

test('however often the handle dies, the disk keeps what was done about twice', async () => {
  const handles = watchHandles()
  const { doc, replica, found } = open()
  await found
  for (let day = 1; day <= 8; day++) {
    handles.at(-1)?.close()
    addStories(doc, [{ title: 'x'.repeat(1000) }])
    await vi.waitFor(() => expect(replica.state).toBe('saved'))
  }
  await replica.close()
  const next = open()
  const { rows } = await next.found
  expect(readStories(next.doc)).toHaveLength(8)
  expect(rows.reduce((sum, row) => sum + row.length, 0)).toBeLessThan(30_000)
  await next.replica.close()
})

test('what another tab wrote stays when the handle of this one dies', async () => {
  const handles = watchHandles()
  const { doc, replica, found } = open()
  await found
  const own = handles.at(-1)
  await visit(['of another tab'])
  own?.close()
  addStories(doc, [{ title: 'of this tab' }])
  await vi.waitFor(() => expect(replica.state).toBe('saved'))
  await replica.close()
  const next = open()
  await next.found
  expect(readStories(next.doc).map((story) => story.title)).toEqual(
    expect.arrayContaining(['of another tab', 'of this tab']),
  )
  await next.replica.close()
})

test('copies of sessions without keys go, the others stay', async () => {
  await visit(['one'])
  await deleteReplicasExcept(() => [session])
  expect((await indexedDB.databases()).map(({ name }) => name)).toEqual([databaseName(session)])
  await deleteReplicasExcept(() => [])
  await vi.waitFor(async () => expect(await indexedDB.databases()).toEqual([]))
})
