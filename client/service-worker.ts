/// <reference lib="webworker" />
/** Keeps the app itself on the device, so that it opens without a network. Sessions are kept in IndexedDB. */
declare const self: ServiceWorkerGlobalScope
/** Both are put in by the build: the files of this version, and a hash over them. */
declare const __FILES__: readonly string[]
declare const __VERSION__: string

const cacheName = `facedown-${__VERSION__}`

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(cacheName)
      .then((cache) => cache.addAll(__FILES__.map((file) => new Request(file, { cache: 'reload' })))),
  )
})

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
  if (windows.length > 1) return
  for (const name of await caches.keys()) {
    if (name.startsWith('facedown-') && name !== cacheName) await caches.delete(name)
  }
}
