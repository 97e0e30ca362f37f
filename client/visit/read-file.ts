import type { SessionId } from '../../shared/id.ts'
import { parseInvitation } from '../../shared/invitation.ts'
import type { SessionKeys } from '../../shared/keys.ts'
import { fileLimit, openSessionFile } from '../../shared/session-file.ts'
import { keysOf } from '../device/device.ts'
import { isAcceptable } from '../link/gate.ts'
import type { FileProblem } from '../pages/session-entry.ts'
import { parseRoute } from './router.ts'

interface Read {
  readonly keys: SessionKeys
  /** What the file has of the session; it may be applied. */
  readonly update: Uint8Array
}

/** Reads a `.facedown` file with the keys that this device has, or the invitation given. Fetched for the first of them. */
export async function readFile(file: Blob, base: string, invitation?: string): Promise<Read | FileProblem> {
  if (file.size > fileLimit) return 'notAFile'
  const invited = invitation === undefined ? undefined : keysIn(invitation, base)
  const known = (id: SessionId) => (invited?.session === id ? invited : keysOf(id))
  const opened = openSessionFile(new Uint8Array(await file.arrayBuffer()), known)
  if (opened.state !== 'opened') return opened.state
  return isAcceptable(opened.update, 'device') ? opened : 'damaged'
}

function keysIn(link: string, base: string): SessionKeys | undefined {
  const route = URL.canParse(link) ? parseRoute(link, base) : undefined
  return route?.page === 'session' ? parseInvitation(route.id, route.secret) : undefined
}
