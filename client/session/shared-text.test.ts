import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { difference, follow, rebase } from './shared-text.ts'

function apply(text: string, before: string, after: string): string {
  const edit = difference(before, after)
  if (!edit) return text
  return text.slice(0, edit.at) + edit.insert + text.slice(edit.at + edit.remove)
}

test('a difference turns the old text into the new one', () => {
  const pairs = [
    ['', 'a'],
    ['a', ''],
    ['login', 'log in'],
    ['aaa', 'aaaa'],
    ['aaaa', 'aaa'],
    ['abc', 'axc'],
    ['same', 'same'],
    ['one two', 'two one'],
  ] as const
  for (const [before, after] of pairs) expect(apply(before, before, after)).toBe(after)
})

test('a difference leaves the halves of an emoji together', () => {
  const before = 'a😀b'
  const after = 'a😁b'
  expect(difference(before, after)).toEqual({ at: 1, remove: 2, insert: '😁' })
  const text = new Y.Doc().getText()
  text.insert(0, before)
  const edit = difference(before, after)
  if (edit) {
    text.delete(edit.at, edit.remove)
    text.insert(edit.at, edit.insert)
  }
  expect(text.toString()).toBe(after)
})

test('the caret stays behind the letters it was behind', () => {
  expect(follow(5, [{ insert: 'ab' }])).toBe(7)
  expect(follow(5, [{ retain: 2 }, { delete: 2 }])).toBe(3)
  expect(follow(5, [{ retain: 4 }, { delete: 9 }])).toBe(4)
  expect(follow(5, [{ retain: 8 }, { insert: 'later' }])).toBe(5)
})

test('what somebody writes exactly at the caret goes behind it', () => {
  expect(follow(5, [{ retain: 5 }, { insert: 'x' }])).toBe(5)
})

test('an edit made while others wrote lands on the letters it meant', () => {
  const base = 'Pay by card'
  const theirs = 'Please: Pay by card'
  const edit = difference(base, 'Pay by blue card')
  expect(edit && rebase(edit, base, theirs)).toEqual({ at: 15, remove: 0, insert: 'blue ' })
})

test('an edit of letters that others removed removes nothing else', () => {
  const edit = difference('abcdef', 'abXdef')
  expect(edit && rebase(edit, 'abcdef', 'aef')).toEqual({ at: 1, remove: 0, insert: 'X' })
})
