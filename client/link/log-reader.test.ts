import { expect, test } from 'vitest'
import * as Y from 'yjs'
import type { Cursor } from '../../shared/cursor.ts'
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
  reader.readEntry(envelopesOf(refused)[0], at(7, 1))
  reader.readEntry(envelopesOf(kept)[0], at(7, 2))
  reader.confirm(at(7, 2))
  expect(reader.held.contains(refused)).toBe(false)
  expect(reader.held.contains(kept)).toBe(true)
})

test.each([
  ['the first', [0, 1]],
  ['the last', [1, 0]],
] as const)('an update is not held while %s of its parts has no place', (_, [without, other]) => {
  const update = changeOf((doc) => doc.getText('title').insert(0, 'x'.repeat(70_000)))
  const envelopes = envelopesOf(update)
  expect(envelopes).toHaveLength(2)
  for (const order of [
    [without, other],
    [other, without],
  ]) {
    const reader = new LogReader(keys, undefined)
    for (const part of order)
      reader.readEntry(envelopes[part] ?? envelopes[0], part === without ? new Map() : at(7))
    reader.confirm(at(8))
    expect(reader.held.contains(update)).toBe(false)
    reader.readEntry(envelopes[without] ?? envelopes[0], at(9))
    expect(reader.held.contains(update)).toBe(false)
    reader.confirm(at(9))
    expect(reader.held.contains(update)).toBe(true)
  }
})

function at(sequence: number, mark = 0): Cursor {
  return new Map([['relay.1', { sequence, mark: new Uint8Array(8).fill(mark) }]])
}

function envelopesOf(change: Uint8Array): [Uint8Array, ...Uint8Array[]] {
  const envelopes = splitIntoParts(change).map((part) => encrypt(keys, 'change', part))
  return envelopes as [Uint8Array, ...Uint8Array[]]
}

function read(change: Uint8Array): Uint8Array | undefined {
  return new LogReader(keys, undefined).readEntry(envelopesOf(change)[0])
}

function changeOf(edit: (doc: Y.Doc) => void): Uint8Array {
  const doc = new Y.Doc()
  edit(doc)
  return Y.encodeStateAsUpdate(doc)
}
