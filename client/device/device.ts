/** What this device keeps besides the replicas: who its person is, and which sessions they hold keys of. */
import { randomBytes } from '@noble/hashes/utils.js'
import { base32, parseBase32, parseSessionId, type SessionId } from '../../shared/id.ts'
import { formatInvitation, parseInvitation } from '../../shared/invitation.ts'
import { participantSeed, roles, type SessionKeys } from '../../shared/keys.ts'
import { folder, keptNames, read, remove, write } from './device-storage.ts'

export interface KeptSession {
  readonly id: SessionId
  /** The fragment of an invitation, of the highest role this device has. */
  readonly secret: string
  readonly name: string | undefined
  /** When it was last opened, in milliseconds. */
  readonly opened: number
  /** The folder of the installation where that was: its relay has the session. */
  readonly at: string
}

/** The secret that this device's participants are derived from. */
function deviceSecret(): Uint8Array {
  const kept = parseBase32(read('secret') ?? '', 32)
  if (kept) return kept
  const made = randomBytes(32)
  write('secret', base32(made))
  return made
}

/** Who this device's person is in a session: derived, unless it was carried over from another device of theirs. */
export function participantSeedFor(session: SessionId): Uint8Array {
  return parseBase32(read(`person.${session}`) ?? '', 32) ?? participantSeed(deviceSecret(), session)
}

/** From now on this device is the same participant as the one the seed comes from. False when nothing can be kept. */
export function becomeParticipant(session: SessionId, seed: Uint8Array): boolean {
  return write(`person.${session}`, base32(seed))
}

export function rememberedName(): string {
  return read('name') ?? ''
}

export function rememberName(name: string): void {
  write('name', name)
}

export type Preference = 'theme' | 'language' | 'sound' | 'singleKeys'

export function preference(name: Preference): string | undefined {
  return read(name)
}

export function keepPreference(name: Preference, text: string): void {
  write(name, text)
}

/** The latest first. */
export function keptSessions(): KeptSession[] {
  return [...sessionEntries()].sort((a, b) => b.opened - a.opened)
}

export function keysOf(id: SessionId): SessionKeys | undefined {
  const secret = secretOf(id)
  return secret === undefined ? undefined : parseInvitation(id, secret)
}

/** The fragment of the invitation that is kept, unchecked. */
export function secretOf(id: SessionId): string | undefined {
  return sessionEntries().find((entry) => entry.id === id)?.secret
}

/** Keeps the keys, or better ones than are kept. False when the browser keeps nothing beyond this page. */
export function keepSession(keys: SessionKeys, opened: number, name?: string): boolean {
  const known = keysOf(keys.session)
  const better = known && roles.indexOf(known.role) < roles.indexOf(keys.role) ? known : keys
  const before = sessionEntries().find((entry) => entry.id === keys.session)
  return restoreSession({
    id: keys.session,
    secret: formatInvitation(better, better.role),
    name: name ?? before?.name,
    opened,
    at: folder(),
  })
}

export function restoreSession({ id, secret, name, opened, at }: KeptSession): boolean {
  return write(`session.${id}`, JSON.stringify([secret, name ?? '', opened, at]))
}

export function forgetSession(id: SessionId): KeptSession | undefined {
  const entry = sessionEntries().find((kept) => kept.id === id)
  remove(`session.${id}`)
  return entry
}

function sessionEntries(): KeptSession[] {
  return keptNames().flatMap((name) => {
    const id = name.startsWith('session.') ? parseSessionId(name.slice('session.'.length)) : undefined
    return (id && parseEntry(id, read(name) ?? '')) ?? []
  })
}

function parseEntry(id: SessionId, text: string): KeptSession | undefined {
  try {
    const [secret, name, opened, at = folder()] = JSON.parse(text) as unknown[]
    if (typeof secret !== 'string' || typeof name !== 'string' || typeof opened !== 'number') return undefined
    return { id, secret, name: name || undefined, opened, at: String(at) }
  } catch {
    return undefined // somebody else's entry
  }
}
