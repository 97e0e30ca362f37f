import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import {
  decodeExactly,
  encode,
  joinBytes,
  putByte,
  putBytes,
  takeByte,
  takeBytes,
  takeRest,
} from '../../shared/codec.ts'
import { idBytes } from '../../shared/id.ts'
import { roleSeed, type SessionKeys, sign, verify } from '../../shared/keys.ts'
import { decodePart, type Part, splitIntoParts } from '../../shared/parts.ts'

/** What two devices say to each other when there is no log to ask. Other first bytes are presence. */
const kinds = { question: 16, answer: 17 } as const

export interface Question {
  /** 16 random bytes, which the answer repeats. */
  readonly nonce: Uint8Array
  /** What whoever asks has: Yjs's state vector. */
  readonly stateVector: Uint8Array
}

export interface Answer {
  readonly nonce: Uint8Array
  /** More answers to the same question follow. */
  readonly more: boolean
  /** A member's or the owner's, over `answerStatement`: observers may read, and must not write by this way either. */
  readonly signature: Uint8Array
  readonly update: Uint8Array
}

export type StatePart = { readonly kind: keyof typeof kinds } & Part

const nonceBytes = 16
const signatureBytes = 64

/** A signal's content: `byte(kind) • part`. Undefined for what is none. */
export function decodeStatePart(content: Uint8Array): StatePart | undefined {
  const kind = content[0] === kinds.question ? 'question' : content[0] === kinds.answer ? 'answer' : undefined
  const part = decodePart(content.subarray(1))
  return kind && part && { kind, ...part }
}

/** `question := bytes(nonce, 16) • state vector`, in parts. */
export function encodeQuestion({ nonce, stateVector }: Question): Uint8Array[] {
  return inParts(kinds.question, joinBytes(nonce, stateVector))
}

export function decodeQuestion(bytes: Uint8Array): Question | undefined {
  return decodeExactly(bytes, (decoder) => ({
    nonce: takeBytes(decoder, nonceBytes),
    stateVector: takeRest(decoder),
  }))
}

/** `answer := bytes(nonce, 16) • byte(more) • bytes(signature, 64) • update`, in parts. */
export function encodeAnswer(
  keys: SessionKeys,
  nonce: Uint8Array,
  more: boolean,
  update: Uint8Array,
): Uint8Array[] {
  const signature = sign(answerStatement(keys, nonce, update), roleSeed(keys))
  return inParts(
    kinds.answer,
    encode((encoder) => {
      putBytes(encoder, nonce)
      putByte(encoder, more ? 1 : 0)
      putBytes(encoder, signature)
      putBytes(encoder, update)
    }),
  )
}

export function decodeAnswer(bytes: Uint8Array): Answer | undefined {
  return decodeExactly(bytes, (decoder) => ({
    nonce: takeBytes(decoder, nonceBytes),
    more: takeByte(decoder) === 1,
    signature: takeBytes(decoder, signatureBytes),
    update: takeRest(decoder),
  }))
}

/** Whether somebody who may write made this answer, and to this question. */
export function isAnswerOfWriter(keys: SessionKeys, { nonce, signature, update }: Answer): boolean {
  const statement = answerStatement(keys, nonce, update)
  const [owner, member] = [keys.publicKeys.subarray(0, 32), keys.publicKeys.subarray(32, 64)]
  return verify(signature, statement, member) || verify(signature, statement, owner)
}

function answerStatement({ session }: SessionKeys, nonce: Uint8Array, update: Uint8Array): Uint8Array {
  return joinBytes(utf8ToBytes('facedown.v1 answer'), idBytes(session), nonce, sha256(update))
}

function inParts(kind: number, bytes: Uint8Array): Uint8Array[] {
  return splitIntoParts(bytes).map((part) => joinBytes(Uint8Array.of(kind), part))
}
