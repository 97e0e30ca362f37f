/**
 * The absent voter: a seal carries its Open in a box. The team holds the box without the key, the relay's store the key
 * without the box; keys leave the store only by being appended to the session's log. `protocol.md` gives the formulas.
 */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import {
  type Decoder,
  decodeExactly,
  type Encoder,
  encode,
  joinBytes,
  putBytes,
  putUint,
  takeBytes,
  takeUint,
} from './codec.ts'
import {
  idBytes,
  type ParticipantId,
  participantId,
  type RecordId,
  type RoundId,
  recordId,
  type SealId,
  type SessionId,
} from './id.ts'
import { derive, type SessionKeys } from './keys.ts'
import { type Choice, choiceBytes, type Open, opens, placeBytes, type SealPlace } from './seal.ts'

const openBytes = 34
const tagBytes = 16
export const boxBytes: number = openBytes + tagBytes
export const nameBytes = 16
export const boxKeyBytes = 32
export const saltBytes = 16

/** What a seal carries that takes a vote back, or is of a round without escrow: as long as any box. */
export const noBox: Uint8Array = new Uint8Array(boxBytes)

/** The nonce is fixed because each key encrypts one thing only, see `boxKeyFor`. */
const onlyNonce = new Uint8Array(24)

/**
 * The key of one box: HMAC-SHA-256, so that the voter finds it again after any crash. It depends on the choice: two
 * devices of one voter that make different seals with one counter do not use a key twice.
 */
export function boxKeyFor(secret: Uint8Array, round: RoundId, counter: number, choice: Choice): Uint8Array {
  return hmac(sha256, secret, joinBytes(idBytes(round), choiceBytes(counter, choice)))
}

/** `box := XChaCha20-Poly1305(key, zero nonce, associated data = the seal's place, card • unsure • nonce)` */
export function closeBox(key: Uint8Array, place: SealPlace, choice: Choice, nonce: Uint8Array): Uint8Array {
  const content = joinBytes(Uint8Array.of(choice.card, choice.unsure ? 1 : 0), nonce)
  return xchacha20poly1305(key, onlyNonce, placeBytes(place)).encrypt(content)
}

/** Undefined when the key does not open the box, or what is in it does not match the seal's commitment. */
export function openBox(
  key: Uint8Array,
  place: SealPlace,
  seal: { readonly id: SealId; readonly commitment: Uint8Array; readonly box: Uint8Array },
): Open | undefined {
  try {
    const content = xchacha20poly1305(key, onlyNonce, placeBytes(place)).decrypt(seal.box)
    const [card = 0, unsure = 0] = content
    const open: Open = {
      kind: 'open',
      seal: seal.id,
      card,
      unsure: unsure === 1,
      nonce: content.slice(2),
    }
    return opens(open, place, seal.commitment) ? open : undefined
  } catch {
    return undefined // the cipher throws for a wrong key
  }
}

/** How a store knows a round or a seal: a hash that says nothing to those without the session's content key. */
export function escrowName(keys: SessionKeys, id: RoundId | SealId): Uint8Array {
  const secret = nameSecrets.get(keys) ?? derive(keys.contentKey, 'escrow names')
  nameSecrets.set(keys, secret)
  return hmac(sha256, secret, idBytes(id)).slice(0, nameBytes)
}

const nameSecrets = new WeakMap<SessionKeys, Uint8Array>()

/** A key in a store's hands. */
export interface Deposit {
  readonly round: Uint8Array
  readonly seal: Uint8Array
  readonly key: Uint8Array
  /** The keys of the same voter's seals before, which the store forgets: what somebody thought first is nobody's business. */
  readonly replaces: readonly Uint8Array[]
}

/** How many of them a deposit names at most. */
export const mostReplaced = 16

/** Who asked for the keys of a round, proven to the relay and to every member. */
export interface Asker {
  readonly author: ParticipantId
  /** As in the author's profile: the session's member key vouches for them. */
  readonly membership: Uint8Array
  /** The Reveal they published with it; undefined: none. */
  readonly reveal: RecordId | undefined
  readonly signature: Uint8Array
}

export interface ReleasedKey {
  readonly seal: Uint8Array
  readonly key: Uint8Array
}

/** What an asker signs. `round` is the round's escrow name. */
export function releaseStatement(
  session: SessionId,
  round: Uint8Array,
  reveal: RecordId | undefined,
): Uint8Array {
  return joinBytes(utf8ToBytes('facedown.v1 release'), idBytes(session), round, revealBytes(reveal))
}

/** An entry of the log that a store makes: the keys it had of one round, and who asked. */
export interface Released {
  readonly round: Uint8Array
  readonly asker: Asker
  /** 16 random bytes of the store: without them a restored store could make the same entry at the same place of another log. */
  readonly salt: Uint8Array
  /** By name of the seal. */
  readonly keys: readonly ReleasedKey[]
}

/** `asker := bytes(author, 32) • bytes(membership, 64) • bytes(reveal or zeros, 16) • bytes(signature, 64)` */
export function putAsker(encoder: Encoder, { author, membership, reveal, signature }: Asker): void {
  putBytes(encoder, idBytes(author))
  putBytes(encoder, membership)
  putBytes(encoder, revealBytes(reveal))
  putBytes(encoder, signature)
}

export function encodeAsker(asker: Asker): Uint8Array {
  return encode((encoder) => putAsker(encoder, asker))
}

export function takeAsker(decoder: Decoder): Asker {
  return {
    author: participantId(takeBytes(decoder, 32)),
    membership: takeBytes(decoder, 64).slice(),
    reveal: takeReveal(decoder),
    signature: takeBytes(decoder, 64).slice(),
  }
}

/** `released := bytes(round, 16) • asker • bytes(salt, 16) • keys` */
export function encodeReleased({ round, asker, salt, keys }: Released): Uint8Array {
  return encode((encoder) => {
    putBytes(encoder, round)
    putAsker(encoder, asker)
    putBytes(encoder, salt)
    putKeys(encoder, keys)
  })
}

export function decodeReleased(bytes: Uint8Array): Released | undefined {
  return decodeExactly(bytes, (decoder) => ({
    round: takeBytes(decoder, nameBytes).slice(),
    asker: takeAsker(decoder),
    salt: takeBytes(decoder, saltBytes).slice(),
    keys: takeKeys(decoder),
  }))
}

/** More voters than a table has seats for, and few enough for one record. */
export const mostKeys = 320

/** `keys := varUint(count) • count × (bytes(seal, 16) • bytes(key, 32))`, in the order of the names. */
export function putKeys(encoder: Encoder, keys: readonly ReleasedKey[]): void {
  putUint(encoder, keys.length)
  for (const { seal, key } of keys) {
    putBytes(encoder, seal)
    putBytes(encoder, key)
  }
}

export function encodeKeys(keys: readonly ReleasedKey[]): Uint8Array {
  return encode((encoder) => putKeys(encoder, keys))
}

export function takeKeys(decoder: Decoder): ReleasedKey[] {
  const count = takeUint(decoder)
  if (count > mostKeys) throw new Error('Too many keys')
  return Array.from({ length: count }, () => ({
    seal: takeBytes(decoder, nameBytes).slice(),
    key: takeBytes(decoder, boxKeyBytes).slice(),
  }))
}

function revealBytes(reveal: RecordId | undefined): Uint8Array {
  return reveal ? idBytes(reveal) : new Uint8Array(16)
}

function takeReveal(decoder: Decoder): RecordId | undefined {
  const bytes = takeBytes(decoder, 16)
  return bytes.some((byte) => byte !== 0) ? recordId(bytes) : undefined
}
