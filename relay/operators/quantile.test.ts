import { expect, test } from 'vitest'
import { quantile } from './quantile.ts'

const buckets = (...counts: number[]) =>
  [0.1, 1, 10, Number.POSITIVE_INFINITY].map((upTo, at) => ({ upTo, count: counts[at] ?? 0 }))
const none = buckets(0, 0, 0, 0)

test('a quantile lies within its bucket', () => {
  expect(quantile(0.5, buckets(100, 100, 100, 100), none)).toBeCloseTo(0.05)
  expect(quantile(0.99, buckets(0, 100, 100, 100), none)).toBeCloseTo(0.991)
  expect(quantile(0.99, buckets(90, 90, 100, 100), none)).toBeCloseTo(9.1)
})

test('what is above every bound counts as the highest', () => {
  expect(quantile(0.99, buckets(0, 0, 0, 5), none)).toBe(10)
})

test('only what came since counts, and nothing is none', () => {
  expect(quantile(0.5, buckets(100, 200, 200, 200), buckets(100, 100, 100, 100))).toBeCloseTo(0.55)
  expect(quantile(0.5, buckets(100, 200, 200, 200), buckets(100, 200, 200, 200))).toBeNull()
  expect(quantile(0.5, [], [])).toBeNull()
})
