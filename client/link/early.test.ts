import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { addStories, readStories } from '../../shared/document.ts'
import { Early } from './early.ts'
import { isAcceptable } from './gate.ts'
import { letters } from './letters.testing.ts'

function apply(doc: Y.Doc, updates: readonly Uint8Array[]): void {
  for (const update of updates) Y.applyUpdate(doc, update)
}

test('changes that came in any order are all there in the end, and none has waited in the document', () => {
  const updates = letters(20)
  const doc = new Y.Doc()
  const early = new Early(doc)
  for (const update of [...updates].reverse()) {
    apply(doc, early.sort([update]))
    expect(doc.store.pendingStructs).toBe(null)
  }
  expect(doc.getText('title').toString()).toBe('01234567890123456789')
  expect(early.waits).toBe(false)
})

test('what waits for somebody else’s change, or for what it deletes, comes with it', () => {
  const alice = new Y.Doc()
  const bob = new Y.Doc()
  addStories(alice, [{ title: 'Search' }])
  const made = Y.encodeStateAsUpdate(alice)
  Y.applyUpdate(bob, made)
  const before = Y.encodeStateVector(bob)
  const [story] = [...bob.getMap<Y.Map<Y.Text>>('stories').values()]
  story?.get('title')?.delete(0, 1)
  const deleted = Y.encodeStateAsUpdate(bob, before)
  story?.get('title')?.insert(0, 's')
  const typed = Y.encodeStateAsUpdate(bob, before)
  const carol = new Y.Doc()
  const early = new Early(carol)
  expect(early.sort([deleted, typed])).toEqual([])
  apply(carol, early.sort([made]))
  expect(readStories(carol)[0]?.title).toBe('search')
})

test('ten thousand changes with gaps cost next to nothing, and the document and its updates stay as they were', () => {
  const sent = letters(20_002)
  const doc = new Y.Doc()
  doc.getText('title').insert(0, 'bob')
  const early = new Early(doc)
  let ready = 0
  let milliseconds = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 3; attempt++) {
    const flood = sent.filter((_, at) => at % 2 === 1).map((update) => update.slice())
    const begun = process.cpuUsage()
    for (const update of flood) if (isAcceptable(update)) ready += early.sort([update]).length
    const { user, system } = process.cpuUsage(begun)
    milliseconds = Math.min(milliseconds, (user + system) / 1000)
  }
  expect(ready).toBe(0)
  expect(milliseconds).toBeLessThan(200)
  expect(doc.store.pendingStructs).toBe(null)
  expect(doc.getText('title').toString()).toBe('bob')
})

test('when something comes at last that a change waited for which was let go, the log is read again', () => {
  const updates = letters(500)
  const doc = new Y.Doc()
  let readAgain = 0
  const early = new Early(doc, () => readAgain++)
  for (const update of updates.slice(1)) early.sort([update])
  expect(readAgain).toBe(0)
  apply(doc, early.sort(updates.slice(0, 1)))
  expect(readAgain).toBe(1)
  apply(doc, early.sort(updates))
  expect(doc.getText('title').length).toBe(500)
  expect(early.waits).toBe(false)
})

test('a gap that nobody fills is given up in the end', () => {
  const [, , never] = letters(3) as [Uint8Array, Uint8Array, Uint8Array]
  const doc = new Y.Doc()
  const early = new Early(doc)
  early.sort([never])
  const others = letters(1002)
  for (const update of others) {
    expect(early.waits).toBe(update !== others.at(-1))
    apply(doc, early.sort([update]))
  }
})

test('of an update that deletes what nobody has, the rest is there all the same', () => {
  const alice = new Y.Doc()
  alice.getText('title').insert(0, 'lost')
  const bob = new Y.Doc()
  Y.applyUpdate(bob, Y.encodeStateAsUpdate(alice))
  const before = Y.encodeStateVector(bob)
  bob.getText('title').delete(0, 4)
  bob.getText('notes').insert(0, 'kept')
  const carol = new Y.Doc()
  const early = new Early(carol)
  expect(early.sort([Y.encodeStateAsUpdate(bob, before)])).toEqual([])
  const rest = early.takeRest()
  if (rest) Y.applyUpdate(carol, rest)
  expect(carol.getText('notes').toString()).toBe('kept')
  expect(early.waits).toBe(false)
  expect(early.takeRest()).toBeUndefined()
})

test('what the document has no room for is read again, too, when that comes which it waited for', () => {
  const [first = new Uint8Array(), second = new Uint8Array()] = letters(2)
  const mallory = new Y.Doc()
  mallory.getText('notes').insert(0, 'never sent')
  const flood: Uint8Array[] = []
  mallory.on('update', (update: Uint8Array) => flood.push(update))
  for (let at = 0; at < 2; at++) mallory.getText('notes').insert(0, 'x'.repeat(600_000))
  const doc = new Y.Doc()
  let readAgain = 0
  const early = new Early(doc, () => readAgain++)
  const waitInDocument = (update: Uint8Array) => {
    expect(early.sort([update])).toEqual([])
    const rest = early.takeRest()
    if (rest) Y.applyUpdate(doc, rest)
    return rest !== undefined
  }
  expect([...flood, second].map(waitInDocument)).toEqual([true, true, false])
  apply(doc, early.sort([first]))
  expect(readAgain).toBe(1)
})
