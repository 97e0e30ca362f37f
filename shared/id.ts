/** Ids: branded strings, made and parsed only here. All bytes are written as lower-case base32 (RFC 4648 section 6, no padding). */

declare const brand: unique symbol
type Id<Name> = string & { readonly [brand]: Name }

/** 16 bytes: a hash of the session's public keys. */
export type SessionId = Id<'session'>
/** 32 bytes: the participant's Ed25519 public key. */
export type ParticipantId = Id<'participant'>
/** 16 bytes: the start of the SHA-256 of the record's bytes. */
export type RecordId = Id<'record'>
/** A record that is a Round. */
export type RoundId = RecordId
/** A record that is a Seal. */
export type SealId = RecordId
/** 10 random bytes. */
export type StoryId = Id<'story'>

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

export function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = (value << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet[(value >>> bits) & 31]
    }
    value &= (1 << bits) - 1
  }
  return bits > 0 ? text + alphabet[(value << (5 - bits)) & 31] : text
}

/** Undefined unless the text is exactly what `base32` writes for that many bytes. */
export function parseBase32(text: string, length: number): Uint8Array | undefined {
  if (text.length !== Math.ceil((length * 8) / 5)) return undefined
  const bytes = new Uint8Array(length)
  let bits = 0
  let value = 0
  let at = 0
  for (const letter of text) {
    const digit = alphabet.indexOf(letter)
    if (digit < 0) return undefined
    value = (value << 5) | digit
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = value >>> bits
      value &= (1 << bits) - 1
    }
  }
  return value === 0 ? bytes : undefined
}

export function sessionId(bytes: Uint8Array): SessionId {
  return base32(bytes) as SessionId
}

export function participantId(bytes: Uint8Array): ParticipantId {
  return base32(bytes) as ParticipantId
}

export function recordId(bytes: Uint8Array): RecordId {
  return base32(bytes) as RecordId
}

export function storyId(bytes: Uint8Array): StoryId {
  return base32(bytes) as StoryId
}

/** The bytes behind an id of this module, which are valid by construction. */
export function idBytes(id: SessionId | ParticipantId | RecordId | StoryId): Uint8Array {
  const bytes = parseBase32(id, Math.floor((id.length * 5) / 8))
  if (!bytes) throw new Error(`Not an id: ${id.length} characters`)
  return bytes
}

export function parseSessionId(text: string): SessionId | undefined {
  return parseBase32(text, 16) && (text as SessionId)
}

export function parseRecordId(text: string): RecordId | undefined {
  return parseBase32(text, 16) && (text as RecordId)
}

export function parseStoryId(text: string): StoryId | undefined {
  return parseBase32(text, 10) && (text as StoryId)
}
