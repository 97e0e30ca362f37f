import { type BuiltInDeck, builtInDecks, type Deck } from '../../shared/deck.ts'
import { t } from '../words/words.svelte.ts'

const names = {
  fibonacci: 'deck.fibonacci',
  modified: 'deck.modified',
  shirts: 'deck.shirts',
  powers: 'deck.powers',
  hours: 'deck.hours',
  halfSteps: 'deck.halfSteps',
  sequential: 'deck.sequential',
  thumbs: 'deck.thumbs',
} as const satisfies Record<BuiltInDeck, string>

/** Built-in decks are stored by their English names and shown in the reader's language; the others by their own. */
export function deckName({ name }: Pick<Deck, 'name'>): string {
  const found = Object.entries(builtInDecks).find(([, deck]) => deck.name === name)
  return found ? t(names[found[0] as BuiltInDeck]) : name
}
