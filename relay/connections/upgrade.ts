import type { IncomingMessage } from 'node:http'
import { parseSessionId, type SessionId } from '../../shared/id.ts'
import { subprotocol } from '../../shared/wire.ts'

export type Upgrade =
  | {
      readonly session: SessionId
      readonly origin: string
      readonly isOriginServed: boolean
      /** False for an app of other versions only, which is to be told so. */
      readonly isVersionSpoken: boolean
      readonly trace: string | undefined
    }
  /** No WebSocket at all: an HTTP status. */
  | 400
  | 404

/** What a request for a WebSocket asks for. */
export function readUpgrade(request: IncomingMessage, origins: readonly string[] | undefined): Upgrade {
  const path = /^\/sync\/([a-z2-7]+)$/.exec(request.url ?? '')
  const session = parseSessionId(path?.[1] ?? '')
  if (!session) return 404
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim())
  const chosen = chooseVersion(offered ?? [])
  if (!chosen) return 400
  const trace = [request.headers.traceparent].flat()[0]
  return { session, ...readOrigin(request, origins), isVersionSpoken: chosen === subprotocol, trace }
}

/** Ours if it is among them. A browser is only told something in a version it offered, so else any of Facedown's. */
export function chooseVersion(offered: Iterable<string>): string | undefined {
  const versions = [...offered].filter((name) => /^facedown\.v\d{1,4}$/.test(name))
  return versions.includes(subprotocol) ? subprotocol : versions[0]
}

/** The page that asks, and whether this relay serves it. */
export function readOrigin(request: IncomingMessage, origins: readonly string[] | undefined) {
  const { origin = '', host = '' } = request.headers
  return { origin, isOriginServed: servesOrigin(origin, host, origins) }
}

/** Every browser says where a page comes from. Exactly that must be allowed: no suffix, no `null`, no silence. */
function servesOrigin(origin: string, host: string, origins: readonly string[] | undefined): boolean {
  if (origins) return origins.includes(origin)
  return host !== '' && (origin === `http://${host}` || origin === `https://${host}`)
}

/** Whom to count a connection for. */
export function addressOf(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? request.headers['x-forwarded-for'] : undefined
  // The last one was written by the proxy that is trusted, all before it by anybody.
  const last = [forwarded].flat().at(-1)?.split(',').at(-1)?.trim()
  return networkOf(last || (request.socket.remoteAddress ?? ''))
}

/** An IPv6 host usually has a whole /64 to itself. Some proxies write a port, too. */
function networkOf(address: string): string {
  const [, ipv4] = /^(?:.*:)?(\d+\.\d+\.\d+\.\d+)\]?(?::\d+)?$/.exec(address) ?? []
  if (ipv4 !== undefined) return ipv4
  const ipv6 = address.replace(/^\[|\].*$/g, '')
  const zeros = ':'.repeat(Math.max(2, 10 - ipv6.split(':').length))
  const groups = ipv6.replace('::', zeros).split(':', 4)
  return groups.map((group) => group || '0').join(':')
}
