import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { createSessionKeys } from '../../shared/keys.ts'
import type { FromClient } from '../../shared/wire.ts'
import { Outbox } from './outbox.ts'

type Append = Extract<FromClient, { type: 'append' }>

let sent: Append[]
let saved: Uint8Array[]
let outbox: Outbox

beforeEach(() => {
  vi.useFakeTimers()
  sent = []
  saved = []
  let ref = 0
  outbox = new Outbox(
    createSessionKeys(),
    () => ++ref,
    (message) => sent.push(message),
    (update) => saved.push(update),
  )
})

afterEach(() => {
  outbox.stop()
  vi.useRealTimers()
})

test('a change counts as saved only when the relay says so', () => {
  const change = someChange()
  outbox.add(change)
  expect(sent).toHaveLength(1)
  expect([saved.length, outbox.empty]).toEqual([0, false])
  outbox.answered({ type: 'saved', ref: sent[0]?.ref ?? 0, cursor: new Map(), compact: undefined })
  expect(saved).toEqual([change])
  expect(outbox.empty).toBe(true)
})

test('what the relay could not save stays, and is sent again byte by byte the same', () => {
  outbox.add(someChange())
  const [first] = sent
  outbox.answered({ type: 'unsaved', ref: first?.ref ?? 0, reason: 'full' })
  expect([saved.length, outbox.empty]).toEqual([0, false])
  vi.advanceTimersByTime(4000)
  expect(sent).toEqual([first, first])
})

test('of a change in several parts nothing counts as saved before the last part is', () => {
  const large = new Y.Doc()
  large.getText().insert(0, 'x'.repeat(200_000))
  outbox.add(Y.encodeStateAsUpdate(large))
  expect(sent.length).toBeGreaterThan(2)
  for (const { ref } of sent) {
    expect(saved).toEqual([])
    outbox.answered({ type: 'saved', ref, cursor: new Map(), compact: undefined })
  }
  expect(saved).toHaveLength(1)
})

function someChange(): Uint8Array {
  const doc = new Y.Doc()
  doc.getMap('settings').set('name', 'Sprint 12')
  return Y.encodeStateAsUpdate(doc)
}
