import { subprotocol } from '../../shared/wire.ts'
import { here, read, remove, write } from '../device/device-storage.ts'

/** What the device's storage calls the addresses of all regions, nearest first, and the one that is used if it is not the page's own. */
const names = {
  get all(): string {
    return here('regions')
  },
  get used(): string {
    return here('region')
  },
}
/** Of before each installation had its own: they may be another's, and are found out anew. */
const shared = ['regions', 'region', 'websockets-blocked-until']
/** A relay speaks first, whatever the session. */
const anySession = 'a'.repeat(26)
/** A region that has not answered by then is not near, in milliseconds. */
const patience = 5_000
/** Another region has to answer so much sooner, in milliseconds, to be preferred to the page's own. */
const margin = 30

/** Since the last time that all had failed. */
const tried = new Set<string>()

interface Region {
  readonly name: string
  /** With a slash at its end. */
  readonly url: string
}

/** Asks the page's own relay which regions there are, and finds the one that answers first, for the next connection. */
export async function noteRegions(base: string): Promise<void> {
  shared.forEach(remove)
  const regions = await listed(base)
  const measured = regions.length < 2 ? [] : (await Promise.all(regions.map(measure))).flat()
  if (measured.length < 2) {
    remove(names.all)
    remove(names.used)
    return
  }
  const nearest = measured.sort((a, b) => a.delay - b.delay)
  write(names.all, JSON.stringify(nearest.map(({ url }) => url)))
  const own = nearest.find(({ url }) => url === base)
  const [best] = nearest
  if (best && own && own.delay - best.delay > margin) write(names.used, best.url)
  else remove(names.used)
}

/** Goes on with the next region. False when there is none, or each had its turn. */
export function tryNextRegion(): boolean {
  tried.add(read(names.used) ?? document.baseURI)
  const next = parsed(read(names.all)).find((url) => !tried.has(url))
  if (next === undefined) {
    tried.clear()
    remove(names.used)
    return false
  }
  write(names.used, next)
  return true
}

/** What a relay says may be anything. */
async function listed(base: string): Promise<readonly Region[]> {
  const response = await fetch(`${base}config.json`, { cache: 'no-store' })
  const { regions }: { regions?: unknown } = await response.json()
  if (!Array.isArray(regions)) return []
  return regions.flatMap((region: { readonly name?: unknown; readonly url?: unknown } | null) => {
    const { name, url } = { name: String(region?.name), url: String(region?.url) }
    if (!URL.canParse(url) || !/^https?:/i.test(url))
      return leaveOut(name, `"${url}" is no address that begins with https:// or http://`)
    const { origin, pathname } = new URL(url)
    return [{ name, url: origin + pathname.replace(/\/?$/, '/') }]
  })
}

/** Whoever runs the relays finds the reason where browsers say such things. */
function leaveOut(name: string, why: string): [] {
  console.warn(`The region ${name} is left out: ${why}`)
  return []
}

/** Nothing where browsers refuse to connect at all: from an encrypted page to an address that is not, for instance. */
async function measure({ name, url }: Region): Promise<{ readonly url: string; readonly delay: number }[]> {
  try {
    return [{ url, delay: await delayTo(url) }]
  } catch (error) {
    return leaveOut(name, `this page may not connect to ${url} (${error})`)
  }
}

/** Until its relay speaks, which is the first thing that it does. Rejects where that is not allowed. */
function delayTo(url: string): Promise<number> {
  return new Promise((resolve) => {
    const began = performance.now()
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}sync/${anySession}`, subprotocol)
    const end = (delay: number) => {
      clearTimeout(timer)
      socket.close()
      resolve(delay)
    }
    const timer = setTimeout(() => end(Number.POSITIVE_INFINITY), patience)
    socket.onmessage = () => end(performance.now() - began)
    socket.onclose = () => end(Number.POSITIVE_INFINITY)
  })
}

function parsed(list = '[]'): string[] {
  try {
    const urls: unknown = JSON.parse(list)
    return Array.isArray(urls) ? urls.filter((url) => typeof url === 'string') : []
  } catch {
    return [] // somebody else wrote it
  }
}
