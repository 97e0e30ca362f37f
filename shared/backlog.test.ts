import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { Backlog } from './backlog.ts'
import { addStories, markRemoved, moveStory, notesOf, readStories, titleOf } from './document.ts'

test('the backlog is what reading the whole document gives, after every kind of change', () => {
  const doc = new Y.Doc()
  addStories(doc, [{ title: 'before' }])
  const backlog = new Backlog(doc)
  const same = () => expect(backlog.stories).toEqual(readStories(doc))
  same()
  const [a, b] = addStories(doc, [{ title: 'a', key: 'X-1' }, { title: 'b' }])
  if (!a || !b) throw new Error('Two were added')
  same()
  titleOf(doc, a)?.insert(0, 'very ')
  same()
  notesOf(doc, a)?.insert(0, 'a note')
  same()
  moveStory(doc, b, a)
  same()
  markRemoved(doc, a, true)
  same()
  markRemoved(doc, a, false)
  same()
})

test('a story that did not change stays the same object', () => {
  const doc = new Y.Doc()
  const [a, b] = addStories(doc, [{ title: 'a' }, { title: 'b' }])
  if (!a || !b) throw new Error('Two were added')
  const backlog = new Backlog(doc)
  const before = backlog.story(b)
  titleOf(doc, a)?.insert(0, 'very ')
  expect(backlog.story(b)).toBe(before)
})

test('what another device adds is there too', () => {
  const [alice, bob] = [new Y.Doc(), new Y.Doc()]
  const backlog = new Backlog(bob)
  addStories(alice, [{ title: 'from alice', notes: 'with a note' }])
  Y.applyUpdate(bob, Y.encodeStateAsUpdate(alice))
  expect(backlog.stories.map(({ title, hasNotes }) => [title, hasNotes])).toEqual([['from alice', true]])
})
