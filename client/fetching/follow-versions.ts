import { fetchPart } from './fetch-part.ts'
import { update } from './update.svelte.ts'

/** How often a page that stays open asks for a newer version, in milliseconds. */
const interval = 60 * 60 * 1000

/**
 * Keeps the app on the device and notices newer versions. They take over only when somebody says so, in each window for itself:
 * a vote may be half made.
 */
export async function followVersions(base: string): Promise<void> {
  const { serviceWorker } = navigator
  const registration = await fetchPart(() =>
    serviceWorker.register(`${base}service-worker.js`, { scope: base }),
  )
  let agreed = false
  const offer = (waiting: ServiceWorker | null) => {
    // Without a controller this is the first visit: the files are those of this page.
    if (!waiting || !serviceWorker.controller) return
    update.take = () => {
      agreed = true
      waiting.postMessage('take over')
    }
  }
  const follow = (installing: ServiceWorker | null) => {
    installing?.addEventListener('statechange', () => {
      if (installing.state === 'installed') offer(registration.waiting)
    })
  }
  offer(registration.waiting)
  follow(registration.installing)
  registration.addEventListener('updatefound', () => follow(registration.installing))
  serviceWorker.addEventListener('controllerchange', () => {
    if (agreed) location.reload()
    else if (update.take) update.take = () => location.reload() // agreed to in another window
  })
  setInterval(() => registration.update().catch(() => {}), interval) // offline: asked again later
}
