/** `.facedown` files: a whole session, which opens without any relay. `protocol.md` gives the format. */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { randomBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { equalBytes, joinBytes } from './codec.ts'
import { idBytes, type SessionId, sessionId } from './id.ts'
import { keysFrom, type Role, roles, type SessionKeys } from './keys.ts'

/** `encrypted` is for whoever has the invitation; `plain` carries the invitation, so it is for whoever has the file. */
export type FileKind = 'encrypted' | 'plain'

export type OpenedFile =
  /** The update is foreign still: it must be examined before it is applied. */
  | { readonly state: 'opened'; readonly keys: SessionKeys; readonly update: Uint8Array }
  /** Encrypted, and the keys of its session are not here: its invitation is needed. */
  | { readonly state: 'locked'; readonly session: SessionId }
  | { readonly state: 'notAFile' | 'damaged' | 'newer' }

const magic = utf8ToBytes('facedown')
const version = 1
const kinds: readonly FileKind[] = ['encrypted', 'plain']
/** magic(8) • version • kind • session id(16) */
const headBytes = 26
const nonceBytes = 24
const checkBytes = 32
const tagBytes = 16
/** Larger files are not read. */
export const fileLimit = 1 << 26

/** A plain file gives away the role of `keys`: use `keysFor` to save one that gives away less. */
export function encodeSessionFile(keys: SessionKeys, update: Uint8Array, kind: FileKind): Uint8Array {
  const head = joinBytes(magic, Uint8Array.of(version, kinds.indexOf(kind)), idBytes(keys.session))
  if (kind === 'encrypted') {
    const nonce = randomBytes(nonceBytes)
    return joinBytes(head, nonce, xchacha20poly1305(keys.contentKey, nonce, head).encrypt(update))
  }
  const above = keys.publicKeys.slice(0, roles.indexOf(keys.role) * 32)
  const body = joinBytes(head, Uint8Array.of(roles.indexOf(keys.role)), keys.secret, above, update)
  return joinBytes(body, sha256(body))
}

/** `keysOf` gives the keys of a session, if they are known here. Never throws. */
export function openSessionFile(
  bytes: Uint8Array,
  keysOf: (session: SessionId) => SessionKeys | undefined,
): OpenedFile {
  if (bytes.length < magic.length || !equalBytes(bytes.subarray(0, magic.length), magic)) {
    return { state: 'notAFile' }
  }
  if (bytes.length < headBytes) return { state: 'damaged' }
  const written = bytes[magic.length] ?? 0
  if (written !== version) return { state: written > version ? 'newer' : 'damaged' }
  const kind = kinds[bytes[magic.length + 1] ?? kinds.length]
  const session = sessionId(bytes.slice(headBytes - 16, headBytes))
  if (!kind) return { state: 'damaged' }
  return kind === 'plain' ? openPlain(bytes, session) : openEncrypted(bytes, session, keysOf(session))
}

function openPlain(bytes: Uint8Array, session: SessionId): OpenedFile {
  const body = bytes.subarray(0, -checkBytes)
  const role: Role | undefined = roles[body[headBytes] ?? roles.length]
  if (!role || !equalBytes(sha256(body), bytes.slice(-checkBytes))) return { state: 'damaged' }
  const secretAt = headBytes + 1
  const aboveAt = secretAt + 32
  const updateAt = aboveAt + roles.indexOf(role) * 32
  if (body.length < updateAt) return { state: 'damaged' }
  const keys = keysFrom(role, body.slice(secretAt, aboveAt), body.slice(aboveAt, updateAt))
  if (keys.session !== session) return { state: 'damaged' }
  return { state: 'opened', keys, update: body.slice(updateAt) }
}

function openEncrypted(bytes: Uint8Array, session: SessionId, keys: SessionKeys | undefined): OpenedFile {
  if (bytes.length < headBytes + nonceBytes + tagBytes) return { state: 'damaged' }
  if (!keys) return { state: 'locked', session }
  const nonce = bytes.subarray(headBytes, headBytes + nonceBytes)
  try {
    const cipher = xchacha20poly1305(keys.contentKey, nonce, bytes.subarray(0, headBytes))
    return { state: 'opened', keys, update: cipher.decrypt(bytes.subarray(headBytes + nonceBytes)) }
  } catch {
    return { state: 'damaged' } // the cipher throws for bytes that were changed
  }
}
