import { expect, test } from 'vitest'
import { defaultDeck } from '../../shared/deck.ts'
import { pilesOf } from './grouping.ts'
import type { Seat } from './seats.ts'

function seat(name: string, more: Pick<Seat, 'mark' | 'label'>): Seat {
  return { key: name, name, me: false, here: true, ...more }
}

const seats = [
  seat('alice', { mark: 'counted', label: '8' }),
  seat('bob', { mark: 'nothing' }),
  seat('carol', { mark: 'counted', label: '3' }),
  seat('dave', { mark: 'late' }),
  seat('erin', { mark: 'counted', label: '8' }),
  seat('frank', { mark: 'counted', label: '?' }),
]

test('people lie together by their card, in the order of the deck, and everybody is there once', () => {
  const piles = pilesOf(seats, defaultDeck.cards)
  expect(piles.map((pile) => [pile.label ?? pile.mark, ...pile.seats.map(({ name }) => name)])).toEqual([
    ['3', 'carol'],
    ['8', 'alice', 'erin'],
    ['?', 'frank'],
    ['late', 'dave'],
    ['nothing', 'bob'],
  ])
})
