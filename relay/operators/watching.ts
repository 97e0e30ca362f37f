import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { App } from '../http/app.ts'
import type { Files } from '../http/files.ts'
import { strictHeaders } from '../http/headers.ts'
import { immutable, sendFile } from '../http/send-file.ts'
import type { Config } from '../settings/config.ts'
import type { Meters } from './meters.ts'
import type { StatusHistory } from './status-history.ts'

type Watchers = Pick<Config, 'metricsPort' | 'metricsToken' | 'origins' | 'trustProxy'>

export interface Watched {
  readonly meters: Pick<Meters, 'text' | 'contentType'>
  readonly history: Pick<StatusHistory, 'status'>
  /** The built status page. */
  readonly files: Files
}

/** What operators look at, for those who may: `/metrics` for programs, `/status/` for people. */
export function createWatching({ meters, history, files }: Watched, config: Watchers): App {
  const app: App = new Hono()
  app.use(strictHeaders([]))
  for (const path of ['/metrics', '/status', '/status/*']) app.get(path, guard(config))
  app.get('/metrics', async (context) => {
    context.header('Cache-Control', 'no-store')
    context.header('Content-Type', meters.contentType)
    return context.body(await meters.text())
  })
  // Relative, because a proxy may have put the relay below another path.
  app.get('/status', (context) => context.redirect('status/'))
  app.get('/status/status.json', (context) => {
    context.header('Cache-Control', 'no-store')
    return context.json(history.status(Number(context.req.query('after') ?? 0)))
  })
  app.get('/status/*', (context) => {
    const path = context.req.path.slice('/status'.length)
    const file = files.get(path === '/' ? '/index.html' : path)
    if (!file) return context.text('There is nothing here.\n', 404)
    return sendFile(context, file, path.startsWith('/assets/') ? immutable : 'no-cache', 200)
  })
  return app
}

const onlyHere = 'Only this computer may ask that. METRICS_TOKEN or METRICS_PORT lets others.\n'
const onlyWithToken = 'Only who knows METRICS_TOKEN may ask that.\n'

function guard(config: Watchers) {
  return createMiddleware<{ Bindings: HttpBindings }>(async (context, next) => {
    if (mayWatch(context.env.incoming, config)) return next()
    if (config.metricsToken === undefined) return context.text(onlyHere, 403)
    context.header('WWW-Authenticate', 'Basic realm="Facedown"')
    return context.text(onlyWithToken, 401)
  })
}

/** Who knows the token. Where there is none: whoever reaches the port of its own, or comes from this computer. */
function mayWatch(request: IncomingMessage, config: Watchers): boolean {
  if (config.metricsToken !== undefined)
    return knows(request.headers.authorization ?? '', config.metricsToken)
  return config.metricsPort !== undefined || isFromHere(request, config)
}

/** As a bearer's token, or as the password of anybody, for which browsers ask. */
function knows(authorization: string, token: string): boolean {
  const [scheme = '', given = ''] = authorization.split(' ')
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return equal(given, token)
    case 'basic': {
      const [, ...password] = Buffer.from(given, 'base64').toString().split(':')
      return equal(password.join(':'), token)
    }
    default:
      return false
  }
}

/** In the same time whatever differs. */
function equal(one: string, other: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(one), hash(other))
}

/**
 * A proxy on this computer comes from here, too, and with it the whole world. So whoever has told the relay about a proxy, what a
 * proxy says about itself, and any name but this computer's own (which a foreign page can give an address of ours) count as the world.
 */
function isFromHere({ headers, socket }: IncomingMessage, { origins, trustProxy }: Watchers): boolean {
  if (origins || trustProxy || proxyHeaders.some((name) => headers[name] !== undefined)) return false
  const isHere = /^(127\.|::1$|::ffff:127\.)/.test(socket.remoteAddress ?? '')
  return isHere && /^(localhost|127\.[0-9.]+|\[::1\])(:\d+)?$/i.test(headers.host ?? '')
}

const proxyHeaders = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
]
