import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { joinBytes } from './codec.ts'
import { idBytes, parseSessionId, type SessionId } from './id.ts'
import { keySeeds, keysFor, keysFrom, type Role, roles, type SessionKeys } from './keys.ts'

const letters: Record<Role, string> = { owner: 'o', member: 'm', observer: 'v' }

/**
 * The part of a link behind `#`: a letter for the role, then in base64url the role's secret and the public keys of the
 * roles above it. With the session id in the path it can be checked without any relay.
 */
export function formatInvitation(keys: SessionKeys, role: Role): string {
  const invited = keysFor(role, keys)
  const above = invited.publicKeys.slice(0, roles.indexOf(role) * 32)
  return letters[role] + base64url(joinBytes(invited.secret, above))
}

/** The role that a fragment names, unchecked. */
export function namedRole(fragment: string): Role | undefined {
  return roles.find((name) => letters[name] === fragment.charAt(0))
}

/** Undefined for a damaged link: every letter of id and fragment takes part in the check. */
export function parseInvitation(idText: string, fragment: string): SessionKeys | undefined {
  const session = parseSessionId(idText)
  const said = readFragment(fragment)
  if (!session || !said) return undefined
  const keys = keysFrom(said.role, said.bytes.slice(0, 32), said.bytes.slice(32))
  return keys.session === session ? keys : undefined
}

/** The seeds whose public keys the check of an invitation, or of what begins with one, is going to derive. */
export function seedsToCheck(fragment: string): Uint8Array[] {
  const said = readFragment(fragment.split('.')[0] ?? '')
  return said ? keySeeds(said.role, said.bytes.slice(0, 32)) : []
}

function readFragment(fragment: string): { readonly role: Role; readonly bytes: Uint8Array } | undefined {
  const role = namedRole(fragment)
  const bytes = role && parseBase64url(fragment.slice(1), 32 + roles.indexOf(role) * 32)
  return bytes && { role, bytes }
}

/** An invitation and who one is: the seed of a participant of this session, 32 bytes, so that a second device is the same person. */
export interface DeviceInvitation {
  readonly keys: SessionKeys
  readonly seed: Uint8Array
}

/** `<invitation>.<seed and 4 bytes to check it by>`. Whoever has it votes as that participant. */
export function formatDeviceInvitation(keys: SessionKeys, seed: Uint8Array): string {
  const check = seedCheck(keys.session, seed)
  return `${formatInvitation(keys, keys.role)}.${base64url(joinBytes(seed, check))}`
}

/** Undefined for a damaged link, and for one that is an invitation alone. */
export function parseDeviceInvitation(idText: string, fragment: string): DeviceInvitation | undefined {
  const [invitation = '', person, more] = fragment.split('.')
  const keys = more === undefined ? parseInvitation(idText, invitation) : undefined
  const bytes = person === undefined ? undefined : parseBase64url(person, 36)
  if (!keys?.memberSeed || !bytes) return undefined
  const seed = bytes.slice(0, 32)
  const intact = seedCheck(keys.session, seed).every((byte, at) => byte === bytes[32 + at])
  return intact ? { keys, seed } : undefined
}

export function deviceLink(base: string, keys: SessionKeys, seed: Uint8Array): string {
  return `${base}${sessionPath(keys.session)}#${formatDeviceInvitation(keys, seed)}`
}

function seedCheck(session: SessionId, seed: Uint8Array): Uint8Array {
  return sha256(joinBytes(utf8ToBytes('facedown.v1 device'), idBytes(session), seed)).slice(0, 4)
}

/** `/s/<session id>#<secret>` below the app's base address, which ends with a slash. */
export function invitationLink(base: string, keys: SessionKeys, role: Role): string {
  return `${base}${sessionPath(keys.session)}#${formatInvitation(keys, role)}`
}

export function sessionPath(session: SessionId): string {
  return `s/${session}`
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** RFC 4648 section 5, no padding. */
function base64url(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b, c] = bytes.subarray(at, at + 3)
    const value = (a << 16) | ((b ?? 0) << 8) | (c ?? 0)
    const letters = b === undefined ? 2 : c === undefined ? 3 : 4
    for (let letter = 0; letter < letters; letter++) text += alphabet[(value >>> (18 - letter * 6)) & 63]
  }
  return text
}

function parseBase64url(text: string, length: number): Uint8Array | undefined {
  if (text.length !== Math.ceil((length * 4) / 3)) return undefined
  const bytes = new Uint8Array(length)
  for (let at = 0, out = 0; at < text.length; at += 4, out += 3) {
    const digits = [...text.slice(at, at + 4).padEnd(4, 'A')].map((letter) => alphabet.indexOf(letter))
    const [a = 0, b = 0, c = 0, d = 0] = digits
    if (Math.min(a, b, c, d) < 0) return undefined
    bytes.set(
      [(a << 2) | (b >> 4), ((b & 15) << 4) | (c >> 2), ((c & 3) << 6) | d].slice(0, length - out),
      out,
    )
  }
  return base64url(bytes) === text ? bytes : undefined
}
