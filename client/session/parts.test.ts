import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { addStories, writeTimer } from '../../shared/document.ts'
import { type ParticipantId, participantId } from '../../shared/id.ts'
import { Turn } from './auto-reveal.ts'
import { TeamTimer } from './clock.ts'
import { Moments, type PresenceState } from './moments.ts'
import { digestOf, Same } from './same.ts'
import type { Moment } from './session-view.ts'
import { UndoStack } from './undo.ts'

const alice: ParticipantId = participantId(new Uint8Array(32).fill(1))
const bob: ParticipantId = participantId(new Uint8Array(32).fill(2))

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('a reaction happens once, and again when it counts up; not what was said before somebody came', () => {
  const happened: Moment[] = []
  const moments = new Moments()
  moments.listen((moment) => happened.push(moment))
  const say = (state: PresenceState) => moments.follow(new Map([[7, state]]), alice, 1)
  const reaction = (count: number) => ({ participant: bob, reaction: { emoji: '🎉', count } })
  say(reaction(4))
  say(reaction(4))
  expect(happened).toEqual([])
  say(reaction(5))
  say(reaction(5))
  expect(happened).toEqual([{ kind: 'reaction', by: bob, emoji: '🎉' }])
})

test('a nudge reaches the one it is meant for', () => {
  const happened: Moment[] = []
  const moments = new Moments()
  moments.listen((moment) => happened.push(moment))
  moments.follow(new Map([[7, { participant: bob }]]), alice, 1)
  moments.follow(new Map([[7, { participant: bob, nudge: { to: bob, count: 1 } }]]), alice, 1)
  expect(happened).toEqual([])
  moments.follow(new Map([[7, { participant: bob, nudge: { to: alice, count: 2 } }]]), alice, 1)
  expect(happened).toEqual([{ kind: 'nudge', by: bob }])
})

test('documents with the same content have the same digest, whatever way it came', () => {
  const [a, b] = [new Y.Doc(), new Y.Doc()]
  addStories(a, [{ title: 'one' }])
  addStories(b, [{ title: 'two' }])
  expect(digestOf(a)).not.toEqual(digestOf(b))
  Y.applyUpdate(a, Y.encodeStateAsUpdate(b))
  Y.applyUpdate(b, Y.encodeStateAsUpdate(a))
  expect(digestOf(a)).toEqual(digestOf(b))
})

test('documents that differ only in what was deleted have different digests', () => {
  const [a, b] = [new Y.Doc(), new Y.Doc()]
  a.getText('title').insert(0, 'Login')
  Y.applyUpdate(b, Y.encodeStateAsUpdate(a))
  expect(digestOf(a)).toEqual(digestOf(b))
  a.getText('title').delete(0, 1)
  expect(Y.encodeStateVector(a)).toEqual(Y.encodeStateVector(b))
  expect(digestOf(a)).not.toEqual(digestOf(b))
})

test('"everybody sees the same" is said when it is quiet, and a difference only when it lasts', () => {
  const doc = new Y.Doc()
  const told: Uint8Array[] = []
  const same = new Same(
    doc,
    (digest) => told.push(digest),
    () => {},
  )
  same.disturb()
  expect(same.compare(['x'])).toBeUndefined()
  vi.advanceTimersByTime(3_000)
  expect(told).toHaveLength(1)
  expect(same.compare(['x'])).toBeUndefined()
  vi.advanceTimersByTime(9_000)
  expect(same.compare(['x'])).toBe(false)
  expect(same.compare([])).toBeUndefined()
  expect(same.compare([undefined])).toBeUndefined()
})

test('who comes while a difference lasts does not make the others wait for it again, and who comes before does', () => {
  const same = new Same(
    new Y.Doc(),
    () => {},
    () => {},
  )
  same.disturb()
  vi.advanceTimersByTime(12_000)
  expect(same.compare(['x'])).toBe(false)
  same.wait()
  expect(same.compare(['x', undefined])).toBe(false)
  expect(same.compare(['x', 'y'])).toBe(false)
  expect(same.compare([same.own])).toBe(true)
  same.wait()
  expect(same.compare(['y'])).toBeUndefined()
  vi.advanceTimersByTime(9_000)
  expect(same.compare(['y'])).toBe(false)
})

test('who does not say what they have hides no difference of the others, and vouches for nothing', () => {
  const same = new Same(
    new Y.Doc(),
    () => {},
    () => {},
  )
  same.disturb()
  vi.advanceTimersByTime(12_000)
  expect(same.compare([same.own, 'x', undefined])).toBe(false)
  expect(same.compare([same.own, undefined])).toBeUndefined()
  expect(same.compare([same.own, same.own])).toBe(true)
})

test.each([-10, 10])(
  'a countdown of somebody whose clock is %i years off lasts as long here as there',
  (years) => {
    const doc = new Y.Doc()
    const timer = new TeamTimer()
    const now = 1_700_000_000_000
    expect(timer.read(doc, true, now)).toBeUndefined()
    writeTimer(doc, { seconds: 60, ends: now + years * 365 * 86_400_000 })
    expect(timer.read(doc, true, now)).toEqual({ seconds: 60, ends: now + 60_000 })
    expect(timer.read(doc, true, now + 30_000)).toEqual({ seconds: 60, ends: now + 60_000 })
  },
)

test.each([-5, 5])(
  'a clock that is off by %i hours still knows what is left of a countdown after a reload',
  (hours) => {
    const doc = new Y.Doc()
    const now = 1_700_000_000_000 + hours
    writeTimer(doc, { seconds: 60, ends: now + 60_000 - hours * 3_600_000 })
    const ends = now + 60_000
    expect(new TeamTimer().read(doc, true, now)).toEqual({ seconds: 60, ends })
    expect(new TeamTimer().read(doc, false, now + 20_000)).toEqual({ seconds: 60, ends })
    expect(new TeamTimer().read(doc, true, now + 20_000)).toEqual({ seconds: 60, ends })
    writeTimer(doc, { seconds: 30, ends: now + 50_000 })
    expect(new TeamTimer().read(doc, false, now + 25_000)).toEqual({ seconds: 30, ends: now + 50_000 })
  },
)

test('who comes later sees what is left of the countdown', () => {
  const doc = new Y.Doc()
  const now = 1_700_000_000_000
  writeTimer(doc, { seconds: 60, ends: now + 20_000 })
  expect(new TeamTimer().read(doc, false, now)).toEqual({ seconds: 60, ends: now + 20_000 })
})

test('acts are undone from the last to the first', () => {
  const undone: string[] = []
  const undo = new UndoStack()
  undo.did('removed', 'a', () => undone.push('a'))
  undo.did('moved', 'b', () => undone.push('b'))
  expect(undo.offered).toEqual({ act: 'moved', name: 'b', count: 1 })
  undo.undo()
  expect(undo.offered).toBeUndefined()
  undo.undo()
  undo.undo()
  expect(undone).toEqual(['b', 'a'])
})

test('the first in turn reveals, the next only when nobody did', () => {
  const revealed: string[] = []
  const [first, second] = [new Turn(), new Turn()]
  first.consider('round', 0, () => revealed.push('first'))
  second.consider('round', 1, () => revealed.push('second'))
  vi.advanceTimersByTime(1_300)
  second.consider('round', undefined, () => revealed.push('second'))
  vi.advanceTimersByTime(5_000)
  expect(revealed).toEqual(['first'])
})

test('somebody who takes their vote back stops the reveal', () => {
  const revealed: string[] = []
  const reveal = new Turn()
  reveal.consider('round', 0, () => revealed.push('round'))
  reveal.consider('round', undefined, () => revealed.push('round'))
  vi.advanceTimersByTime(5_000)
  expect(revealed).toEqual([])
})

test('a device that slept reveals nothing before it has heard what the others did meanwhile', () => {
  const revealed: string[] = []
  const turn = new Turn()
  turn.consider('round', 0, () => revealed.push('round'))
  vi.setSystemTime(Date.now() + 3_600_000)
  vi.advanceTimersByTime(5_900)
  expect(revealed).toEqual([])
  turn.consider('round', undefined, () => revealed.push('round'))
  vi.advanceTimersByTime(5_000)
  expect(revealed).toEqual([])
})

test('a device that slept reveals when nothing has changed', () => {
  const revealed: string[] = []
  new Turn().consider('round', 0, () => revealed.push('round'))
  vi.setSystemTime(Date.now() + 3_600_000)
  vi.advanceTimersByTime(10_000)
  expect(revealed).toEqual(['round'])
})
