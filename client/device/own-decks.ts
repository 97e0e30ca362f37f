import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import type { Deck } from '../../shared/deck.ts'
import { decodeDeck, encodeDeck } from '../../shared/deck-codec.ts'
import { read, write } from './device-storage.ts'

/** The decks this person made, in the order of their names. */
export function customDecks(): Deck[] {
  const kept = (read('decks') ?? '').split(' ')
  return kept
    .flatMap((text) => (/^([0-9a-f]{2})+$/.test(text) && decodeDeck(hexToBytes(text))) || [])
    .sort((a, b) => a.name.localeCompare(b.name))
}

/** Adds a deck, or replaces the one of this name. */
export function keepDeck(deck: Deck): void {
  writeDecks([...customDecks().filter(({ name }) => name !== deck.name), deck])
}

export function forgetDeck(name: string): void {
  writeDecks(customDecks().filter((deck) => deck.name !== name))
}

function writeDecks(decks: readonly Deck[]): void {
  write('decks', decks.map((deck) => bytesToHex(encodeDeck(deck))).join(' '))
}
