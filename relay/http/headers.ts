import { createMiddleware } from 'hono/factory'
import type { RegionAddress } from '../settings/region-settings.ts'

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
]

/** Nothing foreign is loaded, nothing is told to anybody, nobody frames the page. */
export const strictHeaders = (regions: readonly RegionAddress[]) => {
  const elsewhere = regions.map(({ url }) => ` ${new URL(url).origin.replace(/^http/, 'ws')}`).join('')
  return createMiddleware(async (context, next) => {
    await next()
    const { headers } = context.res
    const connect = connectTo(context.req.header('Host')) + elsewhere
    headers.set('Content-Security-Policy', [...policy, connect].join('; '))
    headers.set('Cross-Origin-Opener-Policy', 'same-origin')
    headers.set('Cross-Origin-Resource-Policy', 'same-origin')
    headers.set('Permissions-Policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()')
    headers.set('Referrer-Policy', 'no-referrer')
    headers.set('X-Content-Type-Options', 'nosniff')
  })
}

/** Older browsers do not count a WebSocket to the page's own host as 'self'. */
function connectTo(host = ''): string {
  const own = /^[a-z0-9.:[\]-]+$/i.test(host) ? ` ws://${host} wss://${host}` : ''
  return `connect-src 'self'${own}`
}
