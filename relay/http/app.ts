import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import type { Connections } from '../connections/connections.ts'
import type { Config } from '../settings/config.ts'
import type { Store } from '../store/store.ts'
import { version } from '../version.ts'
import type { Files } from './files.ts'
import { strictHeaders } from './headers.ts'
import { immutable, sendFile } from './send-file.ts'

export interface AppParts {
  readonly config: Pick<Config, 'region' | 'regions' | 'role' | 'sessionIdleDays'>
  readonly store: Pick<Store, 'check'>
  readonly connections: Pick<Connections, 'isDraining' | 'isHandingOver'>
  readonly files: Files
  /** What operators may look at here, if it has no port of its own. */
  readonly watching?: App | undefined
}

export type App = Hono<{ Bindings: HttpBindings }>

/** A balancer asks often and everybody may ask, so the disk is only asked once in a while. */
const checkEveryMs = 1000

/** Pages and what operators ask for. */
export function createApp({ config, store, connections, files, watching }: AppParts): App {
  const app: App = new Hono()
  let checkedAt = Number.NEGATIVE_INFINITY
  let checked = store.check()

  app.use(strictHeaders(config.regions))
  app.get('/healthz', (context) => context.text('The relay runs.\n'))
  app.get('/readyz', async (context) => {
    // By that, HAProxy leaves alone whom it has brought here (`disable-on-404`); others only see that it is not 200.
    if (connections.isHandingOver) return context.text('Other relays take over.\n', 404)
    if (connections.isDraining) return context.text('The relay is about to stop.\n', 503)
    if (performance.now() - checkedAt > checkEveryMs) {
      checkedAt = performance.now()
      checked = store.check()
    }
    const { outcome } = await checked
    // By these words HAProxy tells them apart.
    const what = config.role === 'store' ? 'store' : 'relay'
    return outcome === 'ready'
      ? context.text(`The ${what} is ready.\n`)
      : context.text('The store cannot keep changes.\n', 503)
  })
  app.get('/config.json', (context) =>
    context.json({
      version,
      region: config.region,
      regions: config.regions,
      idleDays: config.sessionIdleDays,
    }),
  )
  if (watching) app.route('/', watching)
  app.get('/s/*', (context) => page(context, '/session.html'))
  app.get('*', (context) => {
    const path = context.req.path === '/' ? '/index.html' : context.req.path
    const file = files.get(path)
    if (file) return sendFile(context, file, path.startsWith('/assets/') ? immutable : 'no-cache', 200)
    const wantsPage = context.req.header('Accept')?.includes('text/html')
    return wantsPage ? missingPage(context) : context.text('There is nothing here.\n', 404)
  })

  function page(context: Context, path: string) {
    const file = files.get(path)
    return file ? sendFile(context, file, 'no-cache', 200) : context.text(noPages, 404)
  }

  /** The app itself says that there is nothing. Its files lie as many folders up as the path is deep. */
  async function missingPage(context: Context) {
    const body = (await files.get('/index.html')?.bodies)?.identity
    if (!body) return context.text(noPages, 404)
    const base = '../'.repeat(context.req.path.split('/').length - 2) || './'
    context.header('Cache-Control', 'no-cache')
    return context.html(
      Buffer.from(body).toString().replace('<base href="./" />', `<base href="${base}" />`),
      404,
    )
  }

  return app
}

const noPages = 'This relay serves no pages.\n'
