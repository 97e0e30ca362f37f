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

const halves: Readonly<Record<string, number>> = { '½': 0.5, '1½': 1.5, '2½': 2.5, '3½': 3.5, '4½': 4.5 }

function numbered(...labels: string[]): Card[] {
  return labels.map((label) => ({ label, number: halves[label] ?? Number.parseFloat(label) }))
}

function worded(...labels: string[]): Card[] {
  return labels.map((label) => ({ label }))
}

/** The decks every session can use, by names the interface has words for. */
export const builtInDecks = {
  fibonacci: {
    name: 'Fibonacci',
    cards: [...numbered('0', '1', '2', '3', '5', '8', '13', '21'), question, coffee],
  },
  modified: {
    name: 'Modified Fibonacci',
    cards: [...numbered('0', '½', '1', '2', '3', '5', '8', '13', '20', '40', '100'), question, coffee],
  },
  shirts: { name: 'T-shirt', cards: [...worded('XS', 'S', 'M', 'L', 'XL', 'XXL'), question, coffee] },
  powers: {
    name: 'Powers of two',
    cards: [...numbered('1', '2', '4', '8', '16', '32', '64'), question, coffee],
  },
  hours: {
    name: 'Hours',
    cards: [
      { label: '½ h', number: 0.5 },
      ...numbered('1 h', '2 h', '4 h', '8 h', '16 h', '24 h', '40 h'),
      question,
      coffee,
    ],
  },
  halfSteps: {
    name: 'Half steps',
    cards: [...numbered('0', '½', '1', '1½', '2', '2½', '3', '3½', '4', '4½', '5'), question, coffee],
  },
  sequential: {
    name: 'Sequential',
    cards: [...numbered('1', '2', '3', '4', '5', '6', '7', '8', '9', '10'), question, coffee],
  },
  thumbs: { name: 'Thumbs', cards: [...worded('👎', '✊', '👍'), question, coffee] },
} as const satisfies Record<string, Deck>

export type BuiltInDeck = keyof typeof builtInDecks

export const decks: readonly Deck[] = Object.values(builtInDecks)

export const defaultDeck: Deck = builtInDecks.fibonacci
