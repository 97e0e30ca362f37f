import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { equalBytes } from '../../shared/codec.ts'
import { addStories, markRemoved, readStories } from '../../shared/document.ts'
import { Chance } from '../../shared/testing.ts'
import { isAcceptable } from './gate.ts'
import { Held } from './held.ts'
import { splitUpdate } from './update-pieces.ts'

test('ten thousand stories imported offline are let in by others', () => {
  const alice = new Y.Doc()
  for (let portion = 0; portion < 50; portion++) {
    const notes = 'As somebody who estimates I want to see all of it, so that nobody has to ask again.'
    addStories(
      alice,
      Array.from({ length: 200 }, (_, at) => ({ title: `Story ${portion} ${at}`, notes, key: `ABC-${at}` })),
    )
  }
  const update = Y.encodeStateAsUpdate(alice)
  expect(isAcceptable(update)).toBe(false)
  const bob = new Y.Doc()
  for (const piece of splitUpdate(update)) {
    expect(isAcceptable(piece)).toBe(true)
    Y.applyUpdate(bob, piece)
  }
  expect(readStories(bob)).toHaveLength(10_000)
  expect(equalBytes(Y.encodeStateAsUpdate(bob), update)).toBe(true)
})

test('an update of usual size stays one', () => {
  const doc = new Y.Doc()
  addStories(doc, [{ title: 'one' }])
  const update = Y.encodeStateAsUpdate(doc)
  expect(splitUpdate(update)).toEqual([update])
})

test('the pieces of any update, with gaps and deletions, bring the same, however they are sliced', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const chance = new Chance(seed)
    const docs = [new Y.Doc(), new Y.Doc(), new Y.Doc()]
    for (const doc of docs) doc.clientID = chance.next()
    const updates: Uint8Array[] = []
    for (let act = 0; act < 30; act++) {
      const doc = docs[chance.below(docs.length)] as Y.Doc
      doc.once('update', (update: Uint8Array) => updates.push(update))
      const stories = readStories(doc)
      const story = stories[chance.below(stories.length + 1)]
      const text = doc.getText('text')
      const kind = chance.below(4)
      if (kind === 0 && story) markRemoved(doc, story.id, true)
      else if (kind === 1) text.insert(0, 'some text'.repeat(chance.below(9) + 1))
      else if (kind === 2) text.delete(0, Math.min(5, text.length))
      else addStories(doc, [{ title: `story ${act}` }])
      const other = docs[chance.below(docs.length)] as Y.Doc
      if (chance.happens(0.3)) Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
    }
    // Some are late, so that there are gaps, which the merged update skips.
    const late = updates.filter(() => chance.happens(0.1))
    const update = Y.mergeUpdates(updates.filter((one) => !late.includes(one)))
    const pieces = splitUpdate(update, 200)
    expect(pieces.length).toBeGreaterThan(2)
    const [whole, together] = [new Y.Doc(), new Y.Doc()]
    const [held, heldTogether] = [new Held(), new Held()]
    Y.applyUpdate(whole, update)
    held.add(update)
    for (const piece of pieces) {
      expect(isAcceptable(piece), `seed ${seed}`).toBe(true)
      Y.applyUpdate(together, piece)
      heldTogether.add(piece)
    }
    for (const doc of [whole, together]) for (const one of late) Y.applyUpdate(doc, one)
    expect(Y.equalSnapshots(Y.snapshot(together), Y.snapshot(whole)), `seed ${seed}`).toBe(true)
    expect(together.getText('text').toString(), `seed ${seed}`).toBe(whole.getText('text').toString())
    expect(readStories(together), `seed ${seed}`).toEqual(readStories(whole))
    expect(Y.decodeStateVector(heldTogether.stateVector()), `seed ${seed}`).toEqual(
      Y.decodeStateVector(held.stateVector()),
    )
    expect(heldTogether.contains(update), `seed ${seed}`).toBe(held.contains(update))
  }
})
