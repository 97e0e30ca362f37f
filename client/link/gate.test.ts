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

test('lists at any depth, texts that belong to no story, and a map below a story are refused', () => {
  const story = (fill: (fields: Y.Map<unknown>) => void) =>
    isAcceptable(
      updateOf((doc) => {
        const fields = new Y.Map()
        fill(fields)
        doc.getMap('stories').set('a', fields)
      }),
    )
  expect(story((fields) => fields.set('title', new Y.Text('one')))).toBe(true)
  expect(story((fields) => fields.set('elsewhere', new Y.Text('one')))).toBe(false)
  expect(story((fields) => fields.set('title', new Y.Map()))).toBe(false)
  expect(story((fields) => fields.set('title', new Y.XmlText('one')))).toBe(false)
  expect(isAcceptable(updateOf((doc) => doc.getMap('settings').set('name', new Y.Map())))).toBe(false)
  expect(isAcceptable(updateOf((doc) => doc.getMap('settings').set('name', new Y.Text())))).toBe(false)
  expect(isAcceptable(updateOf((doc) => doc.getText('t').insert(0, 'bold', { bold: true })))).toBe(false)
  expect(isAcceptable(updateOf((doc) => doc.getText('t').insertEmbed(0, { an: 'embed' })))).toBe(false)
})

test('a text inside a text is refused, also when each level comes in an update of its own', () => {
  const doc = new Y.Doc()
  addStories(doc, [{ title: 'one' }])
  const [fields] = [...doc.getMap<Y.Map<Y.Text>>('stories').values()]
  const before = Y.encodeStateVector(doc)
  fields?.get('title')?.setAttribute('title', new Y.Text('deeper'))
  expect(isAcceptable(Y.encodeStateAsUpdate(doc))).toBe(false)
  expect(isAcceptable(Y.encodeStateAsUpdate(doc, before))).toBe(false)
})
