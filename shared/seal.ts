import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { encode, equalBytes, joinBytes, putByte, putUint } from './codec.ts'
import { idBytes, type ParticipantId, type RoundId, type SealId, type SessionId } from './id.ts'

/** What a voter chose: a place in the round's cards, and whether they are unsure. */
export interface Choice {
  readonly card: number
  readonly unsure: boolean
}

/** Shows one card. Unsigned: it is valid if and only if the seal's commitment matches. */
export interface Open {
  readonly kind: 'open'
  readonly seal: SealId
  readonly card: number
  readonly unsure: boolean
  readonly nonce: Uint8Array
}

/** What binds a seal to its place, so that it cannot be passed off as another's or used again. */
export interface SealPlace {
  readonly session: SessionId
  readonly round: RoundId
  readonly voter: ParticipantId
  readonly counter: number
}

/** The commitment that openly says "no card". */
export const noCard: Uint8Array = new Uint8Array(32)

export function takesBack(seal: { readonly commitment: Uint8Array }): boolean {
  return equalBytes(seal.commitment, noCard)
}

/**
 * A hash commitment: hiding because the nonce is unknown to others, binding because SHA-256 is collision resistant.
 * Every field has a fixed length or an own end, so no two places share an encoding.
 */
export function commit(place: SealPlace, choice: Choice, nonce: Uint8Array): Uint8Array {
  return sha256(
    joinBytes(
      utf8ToBytes('facedown.v1 seal'),
      idBytes(place.session),
      idBytes(place.round),
      idBytes(place.voter),
      choiceBytes(place.counter, choice),
      nonce,
    ),
  )
}

/** The place alone, for what is bound to it without being a commitment. */
export function placeBytes(place: SealPlace): Uint8Array {
  return joinBytes(
    idBytes(place.session),
    idBytes(place.round),
    idBytes(place.voter),
    encode((encoder) => putUint(encoder, place.counter)),
  )
}

/** HMAC-SHA-256 (RFC 2104) instead of a random number, so that the voter can find the opening again after any crash. */
export function nonceFor(nonceKey: Uint8Array, round: RoundId, counter: number, choice: Choice): Uint8Array {
  return hmac(sha256, nonceKey, joinBytes(idBytes(round), choiceBytes(counter, choice)))
}

/** The voter's own opening of a seal, found by trying each card; undefined when it is not theirs or says "no card". */
export function openingOf(
  place: SealPlace,
  seal: { readonly id: SealId; readonly commitment: Uint8Array },
  cards: number,
  nonceKey: Uint8Array,
): Open | undefined {
  for (let card = 0; card < cards; card++) {
    for (const unsure of [false, true]) {
      const nonce = nonceFor(nonceKey, place.round, place.counter, { card, unsure })
      if (equalBytes(commit(place, { card, unsure }, nonce), seal.commitment)) {
        return { kind: 'open', seal: seal.id, card, unsure, nonce }
      }
    }
  }
  return undefined
}

export function opens(open: Open, place: SealPlace, commitment: Uint8Array): boolean {
  return equalBytes(commit(place, open, open.nonce), commitment)
}

export function choiceBytes(counter: number, choice: Choice): Uint8Array {
  return encode((encoder) => {
    putUint(encoder, counter)
    putByte(encoder, choice.card)
    putByte(encoder, choice.unsure ? 1 : 0)
  })
}
