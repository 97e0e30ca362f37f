import {
  type Decoder,
  decodeExactly,
  type Encoder,
  encode,
  putByte,
  putText,
  putUint,
  takeByte,
  takeText,
  takeUint,
} from './codec.ts'
import { type Card, type Deck, deckLimits } from './deck.ts'

const hasNumber = 1
const isSpecial = 2

/** A label is at most `deckLimits.label` characters, each of up to 4 bytes. */
const labelBytes = deckLimits.label * 4
const nameBytes = deckLimits.name * 4

/** `cards := varUint(count) • count × (text(label) • byte(flags) • [text(number)])`; the number as ECMAScript writes it. */
export function putCards(encoder: Encoder, cards: readonly Card[]): void {
  putUint(encoder, cards.length)
  for (const card of cards) {
    putText(encoder, card.label)
    putByte(encoder, (card.number === undefined ? 0 : hasNumber) | (card.special ? isSpecial : 0))
    if (card.number !== undefined) putText(encoder, String(card.number))
  }
}

/** Throws for a deck beyond `deckLimits` or with a number that is not finite. */
export function takeCards(decoder: Decoder): Card[] {
  const count = takeUint(decoder)
  if (count === 0 || count > deckLimits.cards) throw new Error('Not a deck')
  return Array.from({ length: count }, () => {
    const label = takeText(decoder, labelBytes)
    const flags = takeByte(decoder)
    const number = flags & hasNumber ? Number(takeText(decoder, 32)) : undefined
    if (number !== undefined && !Number.isFinite(number)) throw new Error('Not a number')
    return {
      label,
      ...(number === undefined ? {} : { number }),
      ...(flags & isSpecial ? { special: true as const } : {}),
    }
  })
}

/** How the session's settings hold a deck. */
export function encodeDeck(deck: Deck): Uint8Array {
  return encode((encoder) => putDeck(encoder, deck))
}

export function decodeDeck(bytes: Uint8Array): Deck | undefined {
  return decodeExactly(
    bytes,
    (decoder) => ({ name: takeText(decoder, nameBytes), cards: takeCards(decoder) }),
    putDeck,
  )
}

function putDeck(encoder: Encoder, deck: Deck): void {
  putText(encoder, deck.name)
  putCards(encoder, deck.cards)
}
