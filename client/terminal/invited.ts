import { parseDeviceInvitation, parseInvitation } from '../../shared/invitation.ts'
import type { SessionKeys } from '../../shared/keys.ts'
import { misused } from './complaint.ts'

export interface Invited {
  readonly keys: SessionKeys
  /** The address of app and relay, with a slash at the end. */
  readonly base: string
  /** Who one is, when the link says so: it is one to continue on another device. */
  readonly seed: Uint8Array | undefined
}

/** Reads an invitation link. Never repeats it in what it says: it is a secret. */
export function readInvitation(link: string): Invited {
  const url = URL.canParse(link.trim()) ? new URL(link.trim()) : undefined
  const [, root, id = ''] = /^(.*\/)s\/([^/]+)$/.exec(url?.pathname ?? '') ?? []
  if (!url || root === undefined || !/^https?:$/.test(url.protocol)) {
    throw misused(
      'That is no invitation. It is a link like https://poker.example/s/…#…, which the app shows under "Invite"',
    )
  }
  const fragment = url.hash.slice(1)
  if (fragment === '') {
    throw misused(
      'The invitation lacks the part from # on, which is its key. Copy the whole link, and put it in quotes',
    )
  }
  const device = parseDeviceInvitation(id, fragment)
  const keys = device?.keys ?? parseInvitation(id, fragment)
  if (!keys)
    throw misused('The invitation is damaged: some letter of it is missing or wrong. Ask for the link again')
  return { keys, base: url.origin + root, seed: device?.seed }
}

/** Of what was said, and the environment: other users of the machine see the words of a command, not its environment. */
export function invitationIn(
  words: readonly string[],
  expected: number,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly link: string; readonly rest: readonly string[] } {
  if (words.length > expected)
    throw misused(`Nobody knows what "${words.at(-1)}" is for. See facedown --help`)
  const [first, ...rest] = words
  if (words.length === expected && first !== undefined) return { link: first, rest }
  const { FACEDOWN_INVITATION: kept } = environment
  if (words.length === expected - 1 && kept) return { link: kept, rest: words }
  throw misused(
    expected > 1
      ? 'facedown import needs an invitation and a file'
      : 'An invitation is needed: as a word, as - to read it from the input, or in FACEDOWN_INVITATION',
  )
}
