import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

test('what is large is written a little at a time, and first come is first served', async () => {
  const turns = new Turns()
  const written: number[] = []
  for (let number = 0; number < 5; number++) {
    turns.add({ waitingBytes: 150_000, write: () => written.push(number) })
  }
  expect(written).toEqual([])
  await setImmediate()
  expect(written).toEqual([0, 1])
  await setImmediate()
  expect(written).toEqual([0, 1, 2, 3])
  await setImmediate()
  expect(written).toEqual([0, 1, 2, 3, 4])
  turns.add({ waitingBytes: 1, write: () => written.push(5) })
  await setImmediate()
  expect(written.at(-1)).toBe(5)
})
