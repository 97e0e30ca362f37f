import { expect, test } from 'vitest'
import { seating, seatsAround } from './seating.ts'

const counts = Array.from({ length: seatsAround }, (_, at) => at + 1)

test('there is one place for everybody, and the first is in the middle of the bottom', () => {
  for (const count of counts) {
    const places = seating(count)
    expect(places).toHaveLength(count)
    expect(places[0]).toMatchObject({ x: 50, side: 'bottom' })
  }
})

test('no two places overlap', () => {
  for (const count of counts) {
    const places = seating(count).map(({ x, y }) => `${Math.round(x / 10)} ${y}`)
    expect(new Set(places).size).toBe(count)
  }
})
