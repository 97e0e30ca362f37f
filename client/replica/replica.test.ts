import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { addStories, readStories } from '../../shared/document.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { Held } from '../link/held.ts'
import { deleteReplicasExcept } from './forgotten.ts'
import { databaseName, Replica } from './replica.ts'

const { session } = createSessionKeys()

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
})

afterEach(() => {
  vi.restoreAllMocks()
})

function open(doc = new Y.Doc()) {
  const replica = new Replica(
    session,
    doc,
    () => {},
    () => new Uint8Array(16).fill(7),
  )
  return { doc, replica, found: replica.load(() => {}) }
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
  const { doc, replica, found } = open()
  await found
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
