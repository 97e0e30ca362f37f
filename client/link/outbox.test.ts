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

test('of much that could not be saved only so much is sent again at once, and the rest after it', () => {
  for (let change = 0; change < 500; change++) {
    outbox.add(someChange())
    vi.advanceTimersByTime(60)
  }
  const refs = sent.map(({ ref }) => ref)
  expect(refs.length).toBeGreaterThan(400)
  for (const ref of refs) outbox.answered({ type: 'unsaved', ref, reason: 'full' })
  sent.splice(0)
  vi.advanceTimersByTime(4000)
  expect(sent).toHaveLength(100)
  vi.advanceTimersByTime(20_000)
  expect(sent).toHaveLength(100) // until the relay has answered
  for (let round = 0; round < 10; round++) {
    for (const { ref } of sent.splice(0))
      outbox.answered({ type: 'saved', ref, cursor: new Map(), compact: undefined })
    vi.advanceTimersByTime(4000)
    expect(sent.length).toBeLessThanOrEqual(100)
  }
  expect(outbox.empty).toBe(true)
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
