/** One face of a deck. Special cards (`?`, a coffee) are a vote, but stand apart from the order and the numbers. */
export interface Card {
  readonly label: string
  readonly number?: number
  readonly special?: true
}

/** The same face: of two decks, a card that means the same. */
export function isSameCard(a: Card, b: Card): boolean {
  return a.label === b.label && a.number === b.number
}

export interface Deck {
  readonly name: string
  readonly cards: readonly Card[]
}

/** Bounds that a deck from outside must keep: a Round carries its cards, and a seal's card is one byte. */
export const deckLimits = { cards: 60, label: 16, name: 60 } as const

const question: Card = { label: '?', special: true }
const coffee: Card = { label: '☕', special: true }

function numbered(...labels: string[]): Card[] {
  return labels.map((label) => ({ label, number: label === '½' ? 0.5 : Number(label) }))
}

export const decks: readonly Deck[] = [
  { name: 'Fibonacci', cards: [...numbered('0', '1', '2', '3', '5', '8', '13', '21'), question, coffee] },
  {
    name: 'Modified Fibonacci',
    cards: [...numbered('0', '½', '1', '2', '3', '5', '8', '13', '20', '40', '100'), question, coffee],
  },
  {
    name: 'T-shirt',
    cards: [...['XS', 'S', 'M', 'L', 'XL', 'XXL'].map((label) => ({ label })), question, coffee],
  },
  { name: 'Powers of two', cards: [...numbered('1', '2', '4', '8', '16', '32', '64'), question, coffee] },
]

export const defaultDeck = decks[0] as Deck
