import type { Card } from '../../shared/deck.ts'

/** How long a second digit may take to belong to the first. */
export const pause = 600

export interface Typed {
  /** What has been typed and may still grow; empty when it led to a card or to none. */
  readonly rest: string
  /** The card that is meant. With a non-empty rest it is meant only if nothing follows. */
  readonly card?: number
}

/** What one more key means, after those typed within the pause: "1" may become "13". */
export function type(cards: readonly Card[], before: string, key: string): Typed {
  const typed = before + key.toLowerCase()
  const faces = cards.map((card) => [card.label.toLowerCase(), String(card.number ?? '')])
  const card = faces.findIndex((face) => face.includes(typed))
  const longer = faces.some((face) =>
    face.some((text) => text.length > typed.length && text.startsWith(typed)),
  )
  if (card < 0 && !longer) return before ? type(cards, '', key) : { rest: '' }
  return { rest: longer ? typed : '', ...(card >= 0 && { card }) }
}

/** What of a key stands on keyboards everywhere. */
type Pressed = Pick<KeyboardEvent, 'key' | 'code' | 'shiftKey'>

/**
 * What a key means, the likelier first. Where letters are not Latin, or digits need Shift as in France, it is also what
 * the key in that place has elsewhere.
 */
export function spellings({ key, code, shiftKey }: Pressed): readonly string[] {
  const typed = key.toLowerCase()
  const [, letter = '', digit] = /^(?:Key(.)|Digit(.))$/.exec(code) ?? []
  const elsewhere = (typed > '~' && letter.toLowerCase()) || (!shiftKey && digit)
  return elsewhere ? [typed, elsewhere] : [typed]
}
