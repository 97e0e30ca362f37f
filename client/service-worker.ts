/** Keeps the app itself on the device, so that it opens without a network. Sessions are kept in IndexedDB. */
declare const self: ServiceWorkerGlobalScope
/** Both are put in by the build: the files of this version, and a hash over them. */
declare const __FILES__: readonly string[]
declare const __VERSION__: string

export {} // a module, so that its `self` is its own

/** Caches are those of the whole host, where there may be other installations: their files are not ours to remove. */
const ownCaches = `facedown ${self.registration.scope} `
const cacheName = `${ownCaches}version-${__VERSION__}`
/** How often a file is asked for again when its connection breaks, and the milliseconds before that. */
const again = { times: 5, pause: 1_000 }

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches.open(cacheName).then((cache) => Promise.all(__FILES__.map((file) => add(cache, file)))),
  )
})

/** Over a bad line a hundred files never come all without a break, and one that is missing would be all in vain. */
async function add(cache: Cache, file: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await cache.add(new Request(file, { cache: 'reload' }))
    } catch (error) {
      if (tries === again.times) throw error
      await new Promise((resolve) => setTimeout(resolve, again.pause))
    }
  }
}

self.addEventListener('activate', (event) => {
  event.waitUntil(removeOlder().then(() => self.clients.claim()))
})

self.addEventListener('message', (event) => {
  if (event.data === 'take over') self.skipWaiting()
})

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  if (event.request.method !== 'GET' || !url.href.startsWith(self.registration.scope)) return
  const path = url.pathname.slice(new URL(self.registration.scope).pathname.length)
  const file = event.request.mode === 'navigate' ? pageFor(path) : path
  if (file === undefined) return
  if (__FILES__.includes(file)) event.respondWith(fromCache(file, event.request))
  else if (file.startsWith('assets/')) event.respondWith(fromOlder(event.request))
})

/** Sessions and home are the same app at two depths, with different base addresses. Other paths are the relay's to answer. */
function pageFor(path: string): string | undefined {
  if (path === '' || path === 'index.html') return 'index.html'
  return /^s\/[^/]*$/.test(path) ? 'session.html' : undefined
}

async function fromCache(file: string, request: Request): Promise<Response> {
  const cache = await caches.open(cacheName)
  return (await cache.match(new URL(file, self.registration.scope))) ?? fetch(request)
}

/** A window that has not been reloaded yet may come to need a part of its own version. */
async function fromOlder(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request)
}

/** While another window is open they stay until the version after this. */
async function removeOlder(): Promise<void> {
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  if (windows.filter(({ url }) => url.startsWith(self.registration.scope)).length > 1) return
  for (const name of await caches.keys()) {
    const isOlder = name.startsWith(ownCaches) ? name !== cacheName : await wasOurs(name)
    if (isOlder) await caches.delete(name)
  }
}

/** The caches of earlier versions bear no place in their names: two installations of one version share theirs, and the last to leave removes it. */
async function wasOurs(name: string): Promise<boolean> {
  if (!name.startsWith('facedown-')) return false
  const cache = await caches.open(name)
  const removed = await cache.delete(new URL('index.html', self.registration.scope))
  return removed && !(await cache.keys()).some(({ url }) => url.endsWith('/index.html'))
}
