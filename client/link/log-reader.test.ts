import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { encrypt } from '../../shared/envelope.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { splitIntoParts } from '../../shared/parts.ts'
import { LogReader } from './log-reader.ts'

const keys = createSessionKeys()

test('a change of a member is read', () => {
  const change = changeOf((doc) => doc.getMap('settings').set('name', 'Sprint 12'))
  expect(read(change)).toEqual(change)
})

test.each([
  ['a document within the document', changeOf((doc) => doc.getMap('settings').set('name', new Y.Doc()))],
  ['nested values', changeOf((doc) => doc.getMap('settings').set('name', [[[]]]))],
  ['an array', changeOf((doc) => doc.getMap('settings').set('name', new Y.Array()))],
  ['half a change', changeOf((doc) => doc.getMap('settings').set('name', 'Sprint 12')).slice(0, -3)],
  ['noise', Uint8Array.from({ length: 100 }, (_, at) => (at * 37) % 256)],
])('%s never gets out of its envelope', (_, change) => {
  expect(read(change)).toBeUndefined()
})

test('what the relay passed on and its store refused is not held because something else stands at its place', () => {
  const [refused, kept] = ['refused', 'kept'].map((name) =>
    changeOf((doc) => doc.getMap('settings').set('name', name)),
  ) as [Uint8Array, Uint8Array]
  const reader = new LogReader(keys, undefined)
  const at = (mark: number) => new Map([['relay.1', { sequence: 7, mark: new Uint8Array(8).fill(mark) }]])
  reader.await(at(1), refused)
  reader.await(at(2), kept)
  reader.confirm(at(2))
  expect(reader.held.contains(refused)).toBe(false)
  expect(reader.held.contains(kept)).toBe(true)
})

function read(change: Uint8Array): Uint8Array | undefined {
  const reader = new LogReader(keys, undefined)
  const [part = new Uint8Array()] = splitIntoParts(change)
  return reader.readEntry(encrypt(keys, 'change', part))
}

function changeOf(edit: (doc: Y.Doc) => void): Uint8Array {
  const doc = new Y.Doc()
  edit(doc)
  return Y.encodeStateAsUpdate(doc)
}
