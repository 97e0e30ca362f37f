import * as ed25519 from '@noble/ed25519'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { randomBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { joinBytes } from './codec.ts'
import { base32, idBytes, type SessionId, sessionId } from './id.ts'

// Synchronous, and without `crypto.subtle`, which plain http does not have.
ed25519.hashes.sha512 = sha512

/** From most to least: who holds a role's secret can derive the secrets of those after it. */
export const roles = ['owner', 'member', 'observer'] as const
export type Role = (typeof roles)[number]

/** What a device holds of one session: the secret of its role and everything that follows from it. */
export interface SessionKeys {
  readonly session: SessionId
  readonly role: Role
  /** 32 bytes. Whoever has it has the role. */
  readonly secret: Uint8Array
  /** The owner's, member's and observer's Ed25519 public keys, 32 bytes each. The session id is their hash. */
  readonly publicKeys: Uint8Array
  /** 32 bytes, for XChaCha20-Poly1305. */
  readonly contentKey: Uint8Array
  /** 32 bytes, undefined for an observer: signs who may take part. */
  readonly memberSeed: Uint8Array | undefined
}

/**
 * What was derived, by seed and purpose, none for the public key. Each reading of an invitation asks for the same again, and
 * the first of each takes a phone a tenth of a second.
 */
const derived = new Map<string, Uint8Array>()

/** HKDF-SHA-256 (RFC 5869) without salt: the inputs are uniform secrets already. */
export function derive(secret: Uint8Array, purpose: string): Uint8Array {
  return known(secret, purpose, () =>
    hkdf(sha256, secret, undefined, utf8ToBytes(`facedown.v1 ${purpose}`), 32),
  )
}

export function publicKeyOf(seed: Uint8Array): Uint8Array {
  return known(seed, '', () => ed25519.getPublicKey(seed))
}

/** Takes over what something faster derived: it is a function of the seed (RFC 8032, section 5.1.5). */
export function learnPublicKey(seed: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return known(seed, '', () => publicKey)
}

function known(seed: Uint8Array, purpose: string, find: () => Uint8Array): Uint8Array {
  const at = base32(seed) + purpose
  const key = derived.get(at) ?? find()
  if (derived.size >= 64) derived.clear()
  derived.set(at, key)
  return key
}

/** Ed25519 (RFC 8032); signatures are deterministic, so the same statement is the same bytes. */
export function sign(message: Uint8Array, seed: Uint8Array): Uint8Array {
  return ed25519.sign(message, seed)
}

/** All that it takes to check one. */
export interface Signature {
  readonly signature: Uint8Array
  readonly message: Uint8Array
  readonly publicKey: Uint8Array
}

/** False, too, for a key or signature of wrong shape. */
export function verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false })
  } catch {
    return false // the library throws for points that are not on the curve
  }
}

/**
 * False for a key that verifiers treat differently: of small order, or not in its one encoding. With it a signature could hold
 * for the relay and not for clients.
 */
export function isSoundKey(publicKey: Uint8Array): boolean {
  try {
    return !ed25519.Point.fromBytes(publicKey, false).isSmallOrder()
  } catch {
    return false // the library throws for points that are not on the curve
  }
}

/** What a person's participant of one session is made of: 32 bytes, from the secret of their device. */
export function participantSeed(secret: Uint8Array, session: SessionId): Uint8Array {
  return derive(secret, `participant ${session}`)
}

export function createSessionKeys(): SessionKeys {
  return keysFrom('owner', randomBytes(32), new Uint8Array())
}

/**
 * Everything that follows from a role's secret. `above` holds the public keys of the roles before it, which cannot be
 * derived: 0 bytes for the owner, 32 for a member, 64 for an observer.
 */
export function keysFrom(role: Role, secret: Uint8Array, above: Uint8Array): SessionKeys {
  const secrets = secretsFrom(role, secret)
  const publicKeys = joinBytes(above, ...keySeeds(role, secret).map(publicKeyOf))
  return {
    session: sessionIdOf(publicKeys),
    role,
    secret,
    publicKeys,
    contentKey: derive(secrets.at(-1) ?? secret, 'content'),
    memberSeed: secrets.length < 2 ? undefined : derive(secrets.at(-2) ?? secret, 'member key'),
  }
}

/** The seeds of the public keys that a role's secret leads to: its own first, the observer's last. */
export function keySeeds(role: Role, secret: Uint8Array): Uint8Array[] {
  const held = roles.slice(roles.indexOf(role))
  return secretsFrom(role, secret).map((each, at) => derive(each, `${held[at]} key`))
}

/** The secret of a role and of those after it. */
function secretsFrom(role: Role, secret: Uint8Array): Uint8Array[] {
  const secrets = [secret]
  for (const lesser of roles.slice(roles.indexOf(role) + 1)) {
    secrets.push(derive(secrets.at(-1) ?? secret, lesser))
  }
  return secrets
}

/** The keys of a lesser role, as an invitation gives them. */
export function keysFor(role: Role, keys: SessionKeys): SessionKeys {
  const below = roles.indexOf(role) - roles.indexOf(keys.role)
  const secret = secretsFrom(keys.role, keys.secret)[below] ?? keys.secret
  return keysFrom(role, secret, keys.publicKeys.slice(0, roles.indexOf(role) * 32))
}

export function sessionIdOf(publicKeys: Uint8Array): SessionId {
  return sessionId(sha256(joinBytes(utf8ToBytes('facedown.v1 session'), publicKeys)).slice(0, 16))
}

/** The seed whose public key stands in `publicKeys` at the role's place. */
export function roleSeed(keys: SessionKeys): Uint8Array {
  return derive(keys.secret, `${keys.role} key`)
}

/** What the owner signs to delete a session from its relays. */
export function deleteStatement(session: SessionId): Uint8Array {
  return joinBytes(utf8ToBytes('facedown.v1 delete'), idBytes(session))
}

/** What a connecting client signs: it binds the answer to this challenge, session and page. */
export function helloStatement(nonce: Uint8Array, session: SessionId, origin: string): Uint8Array {
  return joinBytes(utf8ToBytes('facedown.v1 hello'), nonce, idBytes(session), utf8ToBytes(origin))
}
