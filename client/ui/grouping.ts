import type { Card } from '../../shared/deck.ts'
import type { Seat } from './seats.ts'

/** People who did the same in a revealed round. */
export interface Pile {
  readonly key: string
  /** What lies on it; undefined when no card was opened. */
  readonly label?: string
  readonly mark: 'counted' | 'sealed' | 'late' | 'void' | 'nothing'
  readonly seats: readonly Seat[]
}

const apart = ['late', 'sealed', 'void', 'nothing'] as const

/** One pile for each card that was chosen, in the deck's order; then those whose vote did not count, and those without one. */
export function pilesOf(seats: readonly Seat[], cards: readonly Card[]): readonly Pile[] {
  const counted = [...new Set(cards.map((card) => card.label))].map((label) => ({
    key: `card ${label}`,
    label,
    mark: 'counted' as const,
    seats: seats.filter((seat) => seat.mark === 'counted' && seat.label === label),
  }))
  const others = apart.map((mark) => ({
    key: mark,
    mark,
    seats: seats.filter((seat) => seat.mark === mark),
  }))
  return [...counted, ...others].filter((pile) => pile.seats.length > 0)
}
