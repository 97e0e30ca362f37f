import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { decks, defaultDeck } from './deck.ts'
import {
  addStories,
  markRemoved,
  moveStory,
  readDeck,
  readLaid,
  readName,
  readStories,
  settingsOf,
  storiesOf,
  titleLimit,
  writeDeck,
} from './document.ts'

const titles = (doc: Y.Doc) => readStories(doc).map((story) => story.title)

test('stories added apart are all there, in one order', () => {
  const [alice, bob] = [new Y.Doc(), new Y.Doc()]
  addStories(alice, [{ title: 'a' }, { title: 'b' }])
  addStories(bob, [{ title: 'c' }, { title: 'd' }])
  Y.applyUpdate(bob, Y.encodeStateAsUpdate(alice))
  Y.applyUpdate(alice, Y.encodeStateAsUpdate(bob))
  expect(titles(alice)).toEqual(titles(bob))
  expect(titles(alice).toSorted()).toEqual(['a', 'b', 'c', 'd'])
})

test('a story moves before another, and to the end', () => {
  const doc = new Y.Doc()
  const [a, , c] = addStories(doc, [{ title: 'a' }, { title: 'b' }, { title: 'c' }])
  if (!a || !c) throw new Error('Three stories were added')
  moveStory(doc, c, a)
  expect(titles(doc)).toEqual(['c', 'a', 'b'])
  moveStory(doc, c, undefined)
  expect(titles(doc)).toEqual(['a', 'b', 'c'])
})

test('a removed story is gone and comes back', () => {
  const doc = new Y.Doc()
  const [a] = addStories(doc, [{ title: 'a' }, { title: 'b' }])
  if (!a) throw new Error('Two stories were added')
  markRemoved(doc, a, true)
  expect(titles(doc)).toEqual(['b'])
  markRemoved(doc, a, false)
  expect(titles(doc)).toEqual(['a', 'b'])
})

test('rubbish from a foreign client is ignored and cut', () => {
  const doc = new Y.Doc()
  addStories(doc, [{ title: 'fine' }])
  storiesOf(doc).set('__proto__', new Y.Map([['title', new Y.Text('evil')]]))
  storiesOf(doc).set('constructor', 'text')
  storiesOf(doc).set(
    'aaaaaaaaaaaaaaaa',
    new Y.Map<unknown>([
      ['title', 5],
      ['order', {}],
    ]),
  )
  storiesOf(doc).set('bbbbbbbbbbbbbbbb', new Y.Map([['title', new Y.Text('x'.repeat(9000))]]))
  settingsOf(doc).set('name', { toString: 'no' })
  settingsOf(doc).set('deck', new Uint8Array([1, 2, 3]))
  settingsOf(doc).set('laid', '__proto__')
  expect(titles(doc).map((title) => title.length)).toEqual([0, titleLimit, 4])
  expect(readName(doc)).toBeUndefined()
  expect(readDeck(doc)).toEqual(defaultDeck)
  expect(readLaid(doc)).toBeUndefined()
})

test('every deck of the app is read back as it was written', () => {
  const doc = new Y.Doc()
  for (const deck of decks) {
    writeDeck(doc, deck)
    expect(readDeck(doc)).toEqual(deck)
  }
})
