/** More people than this sit in a grid instead of around the table. */
export const seatsAround = 12

export interface Place {
  /** Percent of the table's box. */
  readonly x: number
  readonly y: number
  readonly side: 'top' | 'end' | 'bottom'
}

/** Places around a table, clockwise from the middle of the bottom, where this device's participant sits. */
export function seating(count: number): readonly Place[] {
  const ends = count > 3 ? 1 : 0
  const others = count - 1 - 2 * ends
  const flank = ends * Math.floor(others / 4)
  const bottom = row(1 + 2 * flank, 'bottom').reverse()
  const top = row(others - 2 * flank, 'top')
  const end = (x: number): Place[] => (ends ? [{ x, y: 50, side: 'end' }] : [])
  return [...bottom.slice(flank), ...end(10.5), ...top, ...end(89.5), ...bottom.slice(0, flank)].slice(
    0,
    count,
  )
}

function row(count: number, side: 'top' | 'bottom'): Place[] {
  const step = Math.min(20, 78 / Math.max(1, count))
  return Array.from({ length: count }, (_, at) => ({
    x: 50 + (at - (count - 1) / 2) * step,
    y: side === 'top' ? 14.5 : 85.5,
    side,
  }))
}
