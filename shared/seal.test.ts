import { expect, test } from 'vitest'
import { decks } from './deck.ts'
import { participantId, type RoundId, recordId } from './id.ts'
import { createSessionKeys } from './keys.ts'
import { commit, nonceFor, opens, type SealPlace } from './seal.ts'

const place: SealPlace = {
  session: createSessionKeys().session,
  round: recordId(new Uint8Array(16).fill(1)),
  voter: participantId(new Uint8Array(32).fill(2)),
  counter: 1,
}
const [deck] = decks
const nonce = (byte: number) => new Uint8Array(32).fill(byte)

test('who knows everything but the nonce and tries every card cannot tell which was chosen', () => {
  const sealed = commit(place, { card: 3, unsure: false }, nonce(7))
  for (const card of deck?.cards.keys() ?? []) {
    for (const unsure of [false, true]) {
      expect(commit(place, { card, unsure }, nonce(0))).not.toEqual(sealed)
    }
  }
  expect(commit(place, { card: 3, unsure: false }, nonce(7))).toEqual(sealed)
})

test('the same card in another round, or changed and changed back, looks like another', () => {
  const choice = { card: 3, unsure: false }
  const key = nonce(9)
  const seal = (round: RoundId, counter: number) =>
    commit({ ...place, round, counter }, choice, nonceFor(key, round, counter, choice))
  const other = recordId(new Uint8Array(16).fill(8))
  const seals = [seal(place.round, 1), seal(place.round, 2), seal(other, 1)].map(String)
  expect(new Set(seals).size).toBe(3)
})

test('only the nonce it was made with opens a seal', () => {
  const commitment = commit(place, { card: 3, unsure: false }, nonce(7))
  const open = { kind: 'open', seal: recordId(new Uint8Array(16)), card: 3, unsure: false } as const
  expect(opens({ ...open, nonce: nonce(7) }, place, commitment)).toBe(true)
  expect(opens({ ...open, nonce: nonce(8) }, place, commitment)).toBe(false)
})
