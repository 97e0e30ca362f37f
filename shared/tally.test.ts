import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Card, decks } from './deck.ts'
import { tally } from './tally.ts'

const [fibonacci, , shirts] = decks.map((deck) => deck.cards) as [Card[], Card[], Card[]]

function tallyOf(cards: readonly Card[], ...labels: string[]) {
  return tally(
    cards,
    labels.map((label, voter) => ({
      voter,
      unsure: false,
      card: cards.findIndex((card) => card.label === label),
    })),
  )
}

test('numbers, a question and a coffee: specials stand apart', () => {
  const result = tallyOf(fibonacci, '3', '5', '8', '?', '☕')
  expect(result).toMatchObject({ votes: 5, spread: 2, consensus: false })
  expect(fibonacci[result.median ?? -1]?.label).toBe('5')
  expect(result.mean).toBeCloseTo(16 / 3)
  expect(fibonacci[result.nearest ?? -1]?.label).toBe('5')
  expect(result.specials.map((group) => fibonacci[group.card]?.label)).toEqual(['?', '☕'])
  expect([result.lowest?.voters, result.highest?.voters]).toEqual([[0], [2]])
})

test('sizes have a median and a spread, but no mean', () => {
  const result = tallyOf(shirts, 'S', 'M', 'XL')
  expect(shirts[result.median ?? -1]?.label).toBe('M')
  expect(result).toMatchObject({ spread: 3 })
  expect(result.mean).toBeUndefined()
})

test('of two middles the higher', () => {
  expect(fibonacci[tallyOf(fibonacci, '3', '8').median ?? -1]?.label).toBe('8')
})

test('one voter alone is no consensus, two equal ones are', () => {
  expect(tallyOf(fibonacci, '5').consensus).toBe(false)
  expect(tallyOf(fibonacci, '5', '5').consensus).toBe(true)
  expect(tallyOf(fibonacci, '5', '5', '?').consensus).toBe(false)
})

test('nobody voted, or only specials', () => {
  expect(tallyOf(fibonacci)).toMatchObject({ votes: 0, groups: [], consensus: false })
  expect(tallyOf(fibonacci, '?', '?')).toMatchObject({ votes: 2, groups: [], consensus: false })
})

test('it agrees with a plain count of any votes', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: fibonacci.length - 1 }), { maxLength: 50 }), (chosen) => {
      const result = tally(
        fibonacci,
        chosen.map((card, voter) => ({ voter, card, unsure: false })),
      )
      const ordered = chosen.filter((card) => !fibonacci[card]?.special).sort((a, b) => a - b)
      expect(result.votes).toBe(chosen.length)
      expect(result.median).toBe(ordered[Math.floor(ordered.length / 2)])
      expect(result.groups.flatMap((group) => group.voters).length).toBe(ordered.length)
      const sum = ordered.reduce((total, card) => total + (fibonacci[card]?.number ?? 0), 0)
      if (ordered.length > 0) expect(result.mean).toBeCloseTo(sum / ordered.length)
    }),
  )
})
