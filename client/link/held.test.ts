import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { asMade, decodeHeld, Held, noteMade } from './held.ts'

function typed(...texts: string[]): { doc: Y.Doc; updates: Uint8Array[] } {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (const text of texts) doc.getText('title').insert(0, text)
  return { doc, updates }
}

test('what was added is held, what comes after is not', () => {
  const { updates } = typed('a', 'b')
  const held = new Held()
  held.add(updates[0] as Uint8Array)
  expect(held.contains(updates[0] as Uint8Array)).toBe(true)
  expect(held.contains(updates[1] as Uint8Array)).toBe(false)
})

test('an update behind a gap counts only when the gap is closed', () => {
  const { doc, updates } = typed('a', 'b', 'c')
  const [first, second, third] = updates as [Uint8Array, Uint8Array, Uint8Array]
  const held = new Held()
  held.add(third)
  expect(held.contains(third)).toBe(false)
  held.add(first)
  expect(held.contains(third)).toBe(false)
  held.add(second)
  expect(held.contains(Y.encodeStateAsUpdate(doc))).toBe(true)
})

test('a deletion is missed though the state vector is the same, and held once it was added', () => {
  const { doc, updates } = typed('abc')
  const held = new Held()
  for (const update of updates) held.add(update)
  doc.getText('title').delete(0, 1)
  const deletion = updates.at(-1) as Uint8Array
  expect(held.contains(deletion)).toBe(false)
  expect(held.contains(Y.encodeStateAsUpdate(doc, held.stateVector()))).toBe(false)
  held.add(deletion)
  expect(held.contains(Y.encodeStateAsUpdate(doc))).toBe(true)
})

test('what waits in a document for a change that nobody sent is not missing in the log', () => {
  const { updates } = typed('a', 'b')
  const held = new Held()
  const doc = new Y.Doc()
  Y.applyUpdate(doc, updates[1] as Uint8Array)
  expect(held.contains(Y.encodeStateAsUpdate(doc))).toBe(false)
  expect(held.covers(Y.snapshot(doc))).toBe(true)
  Y.applyUpdate(doc, updates[0] as Uint8Array)
  expect(held.covers(Y.snapshot(doc))).toBe(false)
  held.add(Y.encodeStateAsUpdate(doc))
  expect(held.covers(Y.snapshot(doc))).toBe(true)
})

test('it is kept across visits, and rubbish from a disk is nothing', () => {
  const { doc, updates } = typed('abc', 'd')
  const held = new Held()
  for (const update of updates) held.add(update)
  expect(decodeHeld(held.encode())?.contains(Y.encodeStateAsUpdate(doc))).toBe(true)
  expect(decodeHeld(new Uint8Array([255, 255, 255]))).toBeUndefined()
})

test('what a change made here brings is the same, noted while it was made or read from its bytes', () => {
  const doc = new Y.Doc()
  const [noted, read] = [new Held(), new Held()]
  let changes = 0
  doc.on('update', (update: Uint8Array, _origin: unknown, _doc: Y.Doc, transaction: Y.Transaction) => {
    noteMade(update, transaction)
    changes++
    expect(asMade(update.slice())).toBe(update)
    noted.add(update)
    read.add(update.slice())
    expect(noted.encode()).toEqual(read.encode())
    expect(noted.covers(Y.snapshot(doc))).toBe(true)
  })
  const text = doc.getText('title')
  const fields = doc.getMap('fields')
  text.insert(0, 'passkeys')
  text.delete(2, 3)
  doc.transact(() => {
    for (let at = 0; at < 20; at++) fields.set(`key ${at % 7}`, new Y.Text(`value ${at}`))
    text.insert(1, 'and')
    text.delete(0, 2)
  })
  const other = new Y.Doc()
  other.getText('title').insert(0, 'from elsewhere')
  doc.transact(() => {
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(other))
    fields.delete('key 3')
  })
  doc.transact(() => fields.delete('key 4'))
  expect(changes).toBe(5)
})

test('bytes that differ from those made last are not taken for them', () => {
  const { updates } = typed('a', 'b')
  const [first, second] = updates as [Uint8Array, Uint8Array]
  const doc = new Y.Doc()
  doc.on('update', (update: Uint8Array, _origin: unknown, _doc: Y.Doc, made: Y.Transaction) => {
    noteMade(update, made)
  })
  Y.applyUpdate(doc, first)
  const copy = second.slice()
  expect(asMade(copy)).toBe(copy)
})
