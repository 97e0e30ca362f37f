import { parseSessionId, type SessionId } from '../../shared/id.ts'

/**
 * Where a link leads. `secret` is the text after the `#`, checked against the id elsewhere; it is empty in a link to a
 * session whose keys this device may have kept.
 */
export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'session'; readonly id: SessionId; readonly secret: string }
  | { readonly page: 'damaged' }
  | { readonly page: 'unknown' }

/** `base` is the document's base address: the app may live under any path of its host. */
export function parseRoute(address: string, base: string): Route {
  const { pathname, hash } = new URL(address)
  const root = new URL('.', base).pathname
  if (!pathname.startsWith(root)) return { page: 'unknown' }
  const path = pathname.slice(root.length)
  if (path === '' || path === 'index.html') return { page: 'home' }
  const text = /^s\/([^/]*)$/.exec(path)?.[1]
  if (text === undefined) return { page: 'unknown' }
  const id = parseSessionId(text)
  return id ? { page: 'session', id, secret: hash.slice(1) } : { page: 'damaged' }
}
