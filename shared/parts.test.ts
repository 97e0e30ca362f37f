import { expect, test } from 'vitest'
import { decodePart, type Part, PartCollector, splitIntoParts } from './parts.ts'
import { Chance } from './testing.ts'

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
