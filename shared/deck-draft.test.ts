import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deckLimits, decks } from './deck.ts'
import { decodeDeck, encodeDeck } from './deck-codec.ts'
import { cardsIn, deckFrom, draftOf, moved, numberIn, problemsOf } from './deck-draft.ts'

test.each([
  ['5', '5'],
  ['0,5', '0.5'],
  ['½', '0.5'],
  ['2½', '2.5'],
  ['½ h', '0.5'],
  ['16 h', '16'],
  ['1/2', '0.5'],
  ['.5', '0.5'],
  ['−1', '-1'],
  ['５', '5'],
  ['٢٫٥', '2.5'],
  ['1/0', ''],
  ['1,2,3', ''],
  ['-', ''],
  ['XL', ''],
  ['?', ''],
  ['', ''],
])('%j stands for %j', (label, number) => {
  expect(numberIn(label)).toBe(number)
})

test('a line becomes cards, a comma in a number does not part it', () => {
  expect(cardsIn('0,5, 1, 2,5, XL = 8, ?').map(({ label, number }) => [label, number])).toEqual([
    ['0,5', '0.5'],
    ['1', '1'],
    ['2,5', '2.5'],
    ['XL', '8'],
    ['?', ''],
  ])
  expect(cardsIn('?').map(({ special }) => special)).toEqual([true])
})

test.each([
  ['1,2,3,5,?', ['1', '2', '3', '5', '?']],
  ['0,5', ['0,5']],
  ['0,5;1', ['0,5', '1']],
  ['1、2、3', ['1', '2', '3']],
  ['١، ٢، ٣', ['١', '٢', '٣']],
  ['1,2\n2,5', ['1,2', '2,5']],
])('%j is the cards %j', (line, labels) => {
  expect(cardsIn(line).map(({ label }) => label)).toEqual(labels)
})

test('a special card is known however a keyboard writes it', () => {
  const cards = cardsIn('☕\ufe0f, ♾\ufe0f, ？, ؟, ∞, ☕ break')
  expect(cards.map(({ special }) => special)).toEqual([true, true, true, true, true, false])
})

test.each(decks)('the deck $name can be taken as a draft and is the same again', (deck) => {
  expect(problemsOf(deck.name, draftOf(deck))).toEqual([])
  expect(deckFrom(deck.name, draftOf(deck))).toEqual(deck)
  expect(decodeDeck(encodeDeck(deck))).toEqual(deck)
})

test('no two cards of a deck have one label, and numbers rise', () => {
  for (const { cards } of decks) {
    expect(new Set(cards.map(({ label }) => label)).size).toBe(cards.length)
    const numbers = cards.flatMap(({ number }) => number ?? [])
    expect([...numbers].sort((a, b) => a - b)).toEqual(numbers)
  }
})

test('what is wrong with a draft is said, with its place', () => {
  const cards = cardsIn('1, 2').concat(
    { label: '1', number: 'x', special: false },
    { label: ' ', number: '', special: false },
  )
  expect(problemsOf('  ', cards)).toEqual([
    { kind: 'noName' },
    { kind: 'sameLabel', at: 2 },
    { kind: 'badNumber', at: 2 },
    { kind: 'emptyLabel', at: 3 },
  ])
  expect(problemsOf('n', [])).toEqual([{ kind: 'tooFew' }])
})

test('any draft without problems makes a deck that every device reads', () => {
  const card = fc.record({
    label: fc.string({ unit: 'grapheme', maxLength: 20 }),
    number: fc.oneof(fc.constant(''), fc.float({ noNaN: true }).map(String), fc.string({ maxLength: 6 })),
    special: fc.boolean(),
  })
  fc.assert(
    fc.property(
      fc.string({ maxLength: 70 }),
      fc.array(card, { maxLength: deckLimits.cards + 3 }),
      (name, cards) => {
        if (problemsOf(name, cards).length > 0) return
        const deck = deckFrom(name, cards)
        expect(decodeDeck(encodeDeck(deck))).toEqual(deck)
      },
    ),
    { numRuns: 3000 },
  )
})

test('cards move by hand', () => {
  expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a'])
  expect(moved(['a', 'b', 'c'], 2, -1)).toEqual(['c', 'a', 'b'])
})
