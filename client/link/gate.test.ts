import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { addStories } from '../../shared/document.ts'
import { isAcceptable } from './gate.ts'

function updateOf(change: (doc: Y.Doc) => void): Uint8Array {
  const doc = new Y.Doc()
  change(doc)
  return Y.encodeStateAsUpdate(doc)
}

test('what the app writes passes', () => {
  expect(isAcceptable(updateOf((doc) => addStories(doc, [{ title: 'one' }, { title: 'two' }])))).toBe(true)
  expect(isAcceptable(updateOf((doc) => doc.getMap('records').set('id', new Uint8Array(150))))).toBe(true)
  expect(isAcceptable(updateOf((doc) => doc.getText('t').insert(0, 'text')))).toBe(true)
})

test('what the app never writes is refused: nested values, arrays, sub-documents, XML', () => {
  expect(isAcceptable(updateOf((doc) => doc.getMap('m').set('a', { b: { c: 1 } })))).toBe(false)
  expect(isAcceptable(updateOf((doc) => doc.getMap('m').set('a', new Y.Array())))).toBe(false)
  expect(isAcceptable(updateOf((doc) => doc.getMap('m').set('a', new Y.Doc())))).toBe(false)
  expect(isAcceptable(updateOf((doc) => doc.getXmlFragment('x').insert(0, [new Y.XmlElement('b')])))).toBe(
    false,
  )
})

test('damaged bytes are refused without throwing, or are whole updates still', () => {
  const update = updateOf((doc) => addStories(doc, [{ title: 'one' }, { title: 'two' }, { title: 'three' }]))
  for (let at = 0; at < update.length; at++) {
    for (const value of [0, 1, 127, 128, 255]) {
      const damaged = update.slice()
      damaged[at] = value
      isAcceptable(damaged)
    }
    expect(isAcceptable(update.subarray(0, at))).toBe(false)
  }
})

test('more than a mebibyte is refused unread', () => {
  expect(isAcceptable(new Uint8Array((1 << 20) + 1))).toBe(false)
})
