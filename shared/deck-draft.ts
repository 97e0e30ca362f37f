/** A deck while somebody writes it: what they typed, and what is wrong with it so far. */
import { type Card, type Deck, deckLimits } from './deck.ts'

export interface DraftCard {
  readonly label: string
  /** As typed; empty for a card without a number. */
  readonly number: string
  readonly special: boolean
}

export type DeckProblem =
  | { readonly kind: 'noName' | 'longName' | 'tooFew' | 'tooMany' }
  | { readonly kind: 'emptyLabel' | 'longLabel' | 'sameLabel' | 'badNumber'; readonly at: number }

const fractions: Readonly<Record<string, number>> = { '¼': 0.25, '½': 0.5, '¾': 0.75 }

/** The number a label stands for: `5`, `0,5`, `1/2`, `2½`, `3 h`, `５`, `٥`; empty when it is none. */
export function numberIn(label: string): string {
  const text = label
    .trim()
    .replace(/[٠-٩۰-۹０-９]/g, (digit) => String(digit.charCodeAt(0) & 15))
    .replace(/[,٫]/, '.')
    .replace('−', '-')
  const plain = /^(-?\d*\.?\d+)\s*(?:h|d|pt|pts|sp)?$/i.exec(text)
  if (plain) return String(Number(plain[1]))
  const ratio = /^(\d+)\s*\/\s*(\d+)$/.exec(text)
  if (ratio && Number(ratio[2]) > 0) return String(Number(ratio[1]) / Number(ratio[2]))
  const mixed = /^(\d*)\s*([¼½¾])\s*(?:h|d)?$/i.exec(text)
  return mixed ? String(Number(mixed[1] || 0) + (fractions[mixed[2] ?? ''] ?? 0)) : ''
}

/** Keyboards put a mark behind an emoji, and have question marks and infinities of their own. */
const special = /^(?:[?？؟]|☕|∞|♾)\ufe0f?$/u

/**
 * Cards in a line or a list: `1, 2, 3, ?`, with their numbers as `XL = 8` where they say none themselves. A comma between digits parts
 * them only in a line of nothing but commas, `1,2,3`.
 */
export function cardsIn(text: string): DraftCard[] {
  const isTight = text.split(',').length > 2 && !/[\n;\t]|,\s/.test(text)
  return text
    .split(isTight ? /,/ : /[\n;\t、，،]|,(?!\d)|(?<!\d),/)
    .map((part) => clean(part))
    .filter((part) => part !== '')
    .map((part) => {
      const [, label = part, number] = /^(.+?)\s*=\s*(-?[\d.,/]+)$/.exec(part) ?? []
      return {
        label,
        number: number === undefined ? numberIn(label) : numberIn(number),
        special: special.test(label),
      }
    })
}

export function draftOf(deck: Deck): DraftCard[] {
  return deck.cards.map(({ label, number, special }) => ({
    label,
    number: number === undefined ? '' : String(number),
    special: special ?? false,
  }))
}

export function problemsOf(name: string, cards: readonly DraftCard[]): DeckProblem[] {
  const problems: DeckProblem[] = []
  if (clean(name) === '') problems.push({ kind: 'noName' })
  if (clean(name).length > deckLimits.name) problems.push({ kind: 'longName' })
  if (cards.filter(({ special }) => !special).length < 2) problems.push({ kind: 'tooFew' })
  if (cards.length > deckLimits.cards) problems.push({ kind: 'tooMany' })
  const labels = cards.map(({ label }) => clean(label))
  cards.forEach(({ number }, at) => {
    const label = labels[at] ?? ''
    if (label === '') problems.push({ kind: 'emptyLabel', at })
    else if (label.length > deckLimits.label) problems.push({ kind: 'longLabel', at })
    else if (labels.indexOf(label) < at) problems.push({ kind: 'sameLabel', at })
    if (number.trim() !== '' && numberIn(number) === '') problems.push({ kind: 'badNumber', at })
  })
  return problems
}

/** Only for a draft without problems. */
export function deckFrom(name: string, cards: readonly DraftCard[]): Deck {
  return {
    name: clean(name),
    cards: cards.map(({ label, number, special }): Card => {
      const value = special ? '' : numberIn(number)
      return {
        label: clean(label),
        ...(value === '' ? {} : { number: Number(value) }),
        ...(special ? { special } : {}),
      }
    }),
  }
}

/** Moves one card to another place. */
export function moved<Item>(items: readonly Item[], from: number, to: number): Item[] {
  const rest = items.toSpliced(from, 1)
  return rest.toSpliced(Math.max(0, Math.min(to, rest.length)), 0, ...items.slice(from, from + 1))
}

/** Without control characters and marks that turn the direction of everything around them. */
function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff]/g, '').trim()
}
