import { joinBytes } from './codec.ts'
import { parseSessionId, type SessionId } from './id.ts'
import { keysFor, keysFrom, type Role, roles, type SessionKeys } from './keys.ts'

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

/** Undefined for a damaged link: every letter of id and fragment takes part in the check. */
export function parseInvitation(idText: string, fragment: string): SessionKeys | undefined {
  const session = parseSessionId(idText)
  const role = roles.find((name) => letters[name] === fragment.charAt(0))
  if (!session || !role) return undefined
  const bytes = parseBase64url(fragment.slice(1), 32 + roles.indexOf(role) * 32)
  if (!bytes) return undefined
  const keys = keysFrom(role, bytes.slice(0, 32), bytes.slice(32))
  return keys.session === session ? keys : undefined
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
