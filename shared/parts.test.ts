import { expect, test } from 'vitest'
import { decodePart, type Part, PartCollector, splitIntoParts } from './parts.ts'
import { Chance } from './testing.ts'

const mebibyte = 1 << 20

function partsOf(update: Uint8Array): Part[] {
  return splitIntoParts(update).flatMap((content) => decodePart(content) ?? [])
}

test('a large update is whole again once its last part is here, whatever the order', () => {
  const update = new Chance(1).bytes(200_000)
  const parts = partsOf(update)
  const collector = new PartCollector()
  const whole = new Chance(2)
    .shuffled([...parts, ...parts.slice(1)])
    .flatMap((part) => collector.add(part) ?? [])
  expect(whole).toEqual([update])
})

test('a part whose others never come is waited for only a while', () => {
  const collector = new PartCollector()
  const [begun] = partsOf(new Uint8Array(70_000))
  const [small] = partsOf(Uint8Array.of(1))
  if (!begun || !small) throw new Error('There are parts')
  collector.add(begun)
  expect(collector.waiting).toBe(true)
  for (let others = 0; others < 200; others++) collector.add(small)
  expect(collector.waiting).toBe(false)
})

test('of updates that never end, the one that waited longest is given up', () => {
  const collector = new PartCollector()
  const updates = Array.from({ length: 5 }, (_, at) => partsOf(new Uint8Array(6 * mebibyte).fill(at)))
  const begun = updates.map((parts) => parts.slice(0, -1))
  const [first = [], ...later] = begun
  for (const part of first.slice(1)) collector.add(part)
  for (let at = 0; at < first.length; at++) for (const parts of later) collector.add(parts[at] as Part)
  const kept = updates.reverse().filter((parts) => parts.slice(-1).some((end) => collector.add(end)))
  expect(kept.length).toBeGreaterThan(0)
  expect(kept.length * 6).toBeLessThanOrEqual(16)
  expect(collector.add(first[0] as Part)).toBeUndefined()
})

test('a part counts with all the bytes of its envelope, and once', () => {
  const envelope = new Uint8Array(mebibyte)
  const half = (group: number, index: number, bytes: Uint8Array): Part => {
    return { index, count: 2, group: Uint8Array.of(group), bytes: bytes.subarray(0, 1) }
  }
  const collector = new PartCollector()
  for (let group = 0; group < 40; group++) collector.add(half(group, 0, envelope))
  const ended = Array.from({ length: 40 }, (_, group) => collector.add(half(group, 1, new Uint8Array())))
  expect(ended.map((update) => update?.length)).toEqual([...Array(24).fill(undefined), ...Array(16).fill(1)])

  const repeated = new PartCollector()
  for (let turn = 0; turn < 50; turn++) repeated.add(half(1, 0, turn > 0 ? envelope : Uint8Array.of(7)))
  for (let group = 2; group < 17; group++) repeated.add(half(group, 0, envelope))
  expect(repeated.add(half(1, 1, new Uint8Array()))).toEqual(Uint8Array.of(7))
})

test('a dozen people import at once, each in several pieces, and all of it arrives', () => {
  const chance = new Chance(3)
  const collector = new PartCollector()
  const pieces = (author: number) =>
    [1, 2].flatMap((piece) => partsOf(new Uint8Array(mebibyte / 2 + author).fill(piece)))
  const senders = Array.from({ length: 12 }, (_, author) => pieces(author))
  let whole = 0
  while (senders.some((parts) => parts.length > 0)) {
    const part = chance.pick(senders.filter((parts) => parts.length > 0)).shift()
    if (part && collector.add(part)) whole++
  }
  expect([whole, collector.waiting]).toEqual([24, false])
})
