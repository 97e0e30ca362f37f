/** Records: immutable statements of one participant each. `protocol.md` gives every kind as a formula. */
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import {
  type Decoder,
  decodeExactly,
  type Encoder,
  encode,
  joinBytes,
  putByte,
  putBytes,
  putText,
  putUint,
  takeByte,
  takeBytes,
  takeText,
  takeUint,
} from './codec.ts'
import type { Card } from './deck.ts'
import { putCards, takeCards } from './deck-codec.ts'
import { type Asker, boxBytes, putAsker, putKeys, type ReleasedKey, takeAsker, takeKeys } from './escrow.ts'
import {
  idBytes,
  type ParticipantId,
  participantId,
  type RecordId,
  type RoundId,
  recordId,
  type SealId,
  type SessionId,
  type StoryId,
  storyId,
} from './id.ts'
import { type Signature, sign } from './keys.ts'
import type { Open } from './seal.ts'

/** What a participant states. Lists of ids are sorted and without repetition, so that one statement has one encoding. */
export type Statement =
  | {
      readonly kind: 'profile'
      /** Of several profiles of one participant the highest counter counts. */
      readonly counter: number
      readonly name: string
      readonly observer: boolean
      /** The session's member key vouches for the participant: without it none of their records count. */
      readonly membership: Uint8Array
    }
  | { readonly kind: 'grant'; readonly participant: ParticipantId; readonly role: 'facilitator' }
  | {
      readonly kind: 'round'
      /** Undefined: a quick round. */
      readonly story: StoryId | undefined
      readonly cards: readonly Card[]
      readonly previous: RoundId | undefined
      /** The rules its author knew: they hold for this round, whatever is decided later. */
      readonly rules: RecordId | undefined
    }
  | {
      readonly kind: 'seal'
      readonly round: RoundId
      readonly counter: number
      /** 32 bytes; all zero says openly "no card": the vote is taken back. */
      readonly commitment: Uint8Array
      /** The seal's Open, encrypted, see `escrow.ts`; all zero when there is none. */
      readonly box: Uint8Array
    }
  | {
      readonly kind: 'reveal'
      readonly round: RoundId
      readonly cut: readonly SealId[]
      readonly seen: readonly RecordId[]
    }
  | { readonly kind: 'admit'; readonly round: RoundId; readonly seals: readonly SealId[] }
  | {
      readonly kind: 'estimate'
      readonly story: StoryId | undefined
      readonly round: RoundId
      /** A place in the round's cards. */
      readonly card: number
      readonly replaces: readonly RecordId[]
    }
  | {
      readonly kind: 'rules'
      /** Who may start, reveal and settle rounds. */
      readonly who: Who
      /** Reveal when everybody present has voted. */
      readonly auto: boolean
      /** Whether stores keep the keys of boxes, so that the cards of those who left can be opened. */
      readonly escrow: boolean
      readonly replaces: readonly RecordId[]
    }
  /** Takes back a round that nobody revealed, or an estimate. */
  | { readonly kind: 'withdraw'; readonly record: RecordId }

export type Who = 'anybody' | 'facilitators'

/**
 * What a store released of a round, for everybody. The signature is the asker's, over `releaseStatement` and not over the
 * record: the keys show themselves valid by opening their boxes.
 */
export interface Release extends Asker {
  readonly kind: 'release'
  readonly round: RoundId
  readonly keys: readonly ReleasedKey[]
}

export type Signed<Kind extends Statement['kind'] = Statement['kind']> = Extract<
  Statement,
  { kind: Kind }
> & {
  readonly author: ParticipantId
}

export type StoredRecord = (Signed | Open | Release) & { readonly id: RecordId }
export type RecordOf<Kind extends StoredRecord['kind']> = Extract<StoredRecord, { kind: Kind }>

export const recordLimits = { name: 320, ids: 512, bytes: 16_384 } as const

const kinds = {
  profile: 1,
  grant: 2,
  round: 3,
  seal: 4,
  reveal: 5,
  open: 6,
  admit: 7,
  estimate: 8,
  rules: 9,
  withdraw: 10,
  release: 11,
} as const
const signatureBytes = 64

/** The bytes of a statement, signed for this session: `kind • author(32) • fields • signature(64)`. */
export function encodeRecord(session: SessionId, statement: Signed, seed: Uint8Array): Uint8Array {
  const body = encode((encoder) => putStatement(encoder, statement))
  return joinBytes(body, sign(signedMessage(session, body), seed))
}

/** `release := byte(11) • bytes(round, 16) • asker • keys` */
export function encodeRelease(release: Release): Uint8Array {
  return encode((encoder) => putRelease(encoder, release))
}

export function encodeOpen(open: Open): Uint8Array {
  return encode((encoder) => putOpen(encoder, open))
}

export function recordIdOf(bytes: Uint8Array): RecordId {
  return recordId(sha256(bytes).slice(0, 16))
}

/** Undefined for bytes that are no record, whoever they are from. Says nothing about the signature. */
export function decodeRecord(bytes: Uint8Array): StoredRecord | undefined {
  if (bytes.length > recordLimits.bytes) return undefined
  const id = recordIdOf(bytes)
  if (bytes[0] === kinds.open) {
    const open = decodeExactly(bytes, takeOpen, putOpen)
    return open && { ...open, id }
  }
  if (bytes[0] === kinds.release) {
    const release = decodeExactly(bytes, takeRelease, putRelease)
    return release && { ...release, id }
  }
  const statement = decodeExactly(bytes.subarray(0, -signatureBytes), takeStatement, putStatement)
  return statement && { ...statement, id }
}

/** By the author named in a signed record's bytes, for this session. */
export function signatureOf(session: SessionId, bytes: Uint8Array): Signature {
  const body = bytes.subarray(0, -signatureBytes)
  return {
    signature: bytes.subarray(-signatureBytes),
    message: signedMessage(session, body),
    publicKey: bytes.subarray(1, 33),
  }
}

/** What the session's member key signs for a participant's profile. */
export function membershipStatement(session: SessionId, participant: ParticipantId): Uint8Array {
  return joinBytes(utf8ToBytes('facedown.v1 membership'), idBytes(session), idBytes(participant))
}

/** As many as a record takes: with one more it would be none. */
export function sortedIds<Id extends RecordId>(ids: Iterable<Id>): Id[] {
  return [...new Set(ids)].sort().slice(0, recordLimits.ids)
}

function signedMessage(session: SessionId, body: Uint8Array): Uint8Array {
  return joinBytes(utf8ToBytes('facedown.v1 record'), idBytes(session), body)
}

function putStatement(encoder: Encoder, record: Signed): void {
  putByte(encoder, kinds[record.kind])
  putBytes(encoder, idBytes(record.author))
  switch (record.kind) {
    case 'profile':
      putUint(encoder, record.counter)
      putText(encoder, record.name)
      putByte(encoder, record.observer ? 1 : 0)
      return putBytes(encoder, record.membership)
    case 'grant':
      putBytes(encoder, idBytes(record.participant))
      return putByte(encoder, 1)
    case 'round':
      putOptionalId(encoder, record.story)
      putCards(encoder, record.cards)
      putOptionalId(encoder, record.previous)
      return putOptionalId(encoder, record.rules)
    case 'seal':
      putBytes(encoder, idBytes(record.round))
      putUint(encoder, record.counter)
      putBytes(encoder, record.commitment)
      return putBytes(encoder, record.box)
    case 'reveal':
      putBytes(encoder, idBytes(record.round))
      putIds(encoder, record.cut)
      return putIds(encoder, record.seen)
    case 'admit':
      putBytes(encoder, idBytes(record.round))
      return putIds(encoder, record.seals)
    case 'estimate':
      putOptionalId(encoder, record.story)
      putBytes(encoder, idBytes(record.round))
      putByte(encoder, record.card)
      return putIds(encoder, record.replaces)
    case 'rules':
      putByte(encoder, record.who === 'facilitators' ? 1 : 0)
      putByte(encoder, record.auto ? 1 : 0)
      putByte(encoder, record.escrow ? 1 : 0)
      return putIds(encoder, record.replaces)
    case 'withdraw':
      return putBytes(encoder, idBytes(record.record))
  }
}

function takeStatement(decoder: Decoder): Signed {
  const kind = takeByte(decoder)
  const author = participantId(takeBytes(decoder, 32))
  switch (kind) {
    case kinds.profile:
      return {
        kind: 'profile',
        author,
        counter: takeUint(decoder),
        name: takeText(decoder, recordLimits.name),
        observer: takeByte(decoder) === 1,
        membership: takeBytes(decoder, signatureBytes).slice(),
      }
    case kinds.grant: {
      const participant = participantId(takeBytes(decoder, 32))
      if (takeByte(decoder) !== 1) throw new Error('No such role')
      return { kind: 'grant', author, participant, role: 'facilitator' }
    }
    case kinds.round:
      return {
        kind: 'round',
        author,
        story: takeOptional(decoder, takeStoryId),
        cards: takeCards(decoder),
        previous: takeOptional(decoder, takeId),
        rules: takeOptional(decoder, takeId),
      }
    case kinds.seal:
      return {
        kind: 'seal',
        author,
        round: takeId(decoder),
        counter: takeUint(decoder),
        commitment: takeBytes(decoder, 32).slice(),
        box: takeBytes(decoder, boxBytes).slice(),
      }
    case kinds.reveal:
      return { kind: 'reveal', author, round: takeId(decoder), cut: takeIds(decoder), seen: takeIds(decoder) }
    case kinds.admit:
      return { kind: 'admit', author, round: takeId(decoder), seals: takeIds(decoder) }
    case kinds.estimate:
      return {
        kind: 'estimate',
        author,
        story: takeOptional(decoder, takeStoryId),
        round: takeId(decoder),
        card: takeByte(decoder),
        replaces: takeIds(decoder),
      }
    case kinds.rules:
      return {
        kind: 'rules',
        author,
        who: takeByte(decoder) === 1 ? 'facilitators' : 'anybody',
        auto: takeByte(decoder) === 1,
        escrow: takeByte(decoder) === 1,
        replaces: takeIds(decoder),
      }
    case kinds.withdraw:
      return { kind: 'withdraw', author, record: takeId(decoder) }
    default:
      throw new Error('No such kind')
  }
}

function putOpen(encoder: Encoder, open: Open): void {
  putByte(encoder, kinds.open)
  putBytes(encoder, idBytes(open.seal))
  putByte(encoder, open.card)
  putByte(encoder, open.unsure ? 1 : 0)
  putBytes(encoder, open.nonce)
}

function takeOpen(decoder: Decoder): Open {
  takeByte(decoder)
  return {
    kind: 'open',
    seal: takeId(decoder),
    card: takeByte(decoder),
    unsure: takeByte(decoder) === 1,
    nonce: takeBytes(decoder, 32).slice(),
  }
}

function putRelease(encoder: Encoder, release: Release): void {
  putByte(encoder, kinds.release)
  putBytes(encoder, idBytes(release.round))
  putAsker(encoder, release)
  putKeys(encoder, release.keys)
}

function takeRelease(decoder: Decoder): Release {
  takeByte(decoder)
  const round = takeId(decoder)
  return { kind: 'release', round, ...takeAsker(decoder), keys: takeKeys(decoder) }
}

function takeId(decoder: Decoder): RecordId {
  return recordId(takeBytes(decoder, 16))
}

function takeStoryId(decoder: Decoder): StoryId {
  return storyId(takeBytes(decoder, 10))
}

function putOptionalId(encoder: Encoder, id: RecordId | StoryId | undefined): void {
  putByte(encoder, id ? 1 : 0)
  if (id) putBytes(encoder, idBytes(id))
}

function takeOptional<Value>(decoder: Decoder, take: (decoder: Decoder) => Value): Value | undefined {
  return takeByte(decoder) === 1 ? take(decoder) : undefined
}

function putIds(encoder: Encoder, ids: readonly RecordId[]): void {
  putUint(encoder, ids.length)
  for (const id of sortedIds(ids)) putBytes(encoder, idBytes(id))
}

function takeIds(decoder: Decoder): RecordId[] {
  const count = takeUint(decoder)
  if (count > recordLimits.ids) throw new Error('Too many ids')
  return Array.from({ length: count }, () => takeId(decoder))
}
