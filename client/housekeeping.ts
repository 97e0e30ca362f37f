import { keptSessions } from './device.ts'
import { forgetEstimatesOfOthers } from './earlier-stories.ts'
import { followLinks } from './follow-links.ts'
import { followVersions } from './follow-versions.ts'
import { noteRegions } from './link/regions.ts'
import { deleteReplicasExcept } from './replica/forgotten.ts'
import type { Visit } from './visit.svelte.ts'

/**
 * What a visit does besides what it is for. Keeping the app's hundred files alone takes a phone as long as opening a
 * session, so whoever came to vote goes first.
 */
export function keepHouse(base: string, visit: Visit): void {
  // Removing a session can be undone while the page is open; what it left goes with the next visit.
  forgetEstimatesOfOthers()
  deleteReplicasExcept(() => keptSessions().map(({ id }) => id)).catch(() => {}) // storage is blocked: nothing is kept

  // Browsers allow it on https and on localhost only; elsewhere the app works without opening offline.
  if (import.meta.env.PROD && 'serviceWorker' in navigator) {
    followVersions(base).catch(() => {}) // the browser refuses: the app works without opening offline
  }
  setTimeout(() => noteRegions(base).catch(() => {}), 7_000)

  followLinks(
    base,
    (address) => visit.follow(address),
    () => import('./pages/home.svelte'),
  )
  // What is kept nowhere would be lost without a word.
  addEventListener('beforeunload', (event) => {
    if (visit.current.page !== 'session') return
    const { device, waiting } = visit.current.session.saved
    if (typeof device === 'object' && waiting > 0) event.preventDefault()
  })
  // Somebody who looks again, or has a network again, does not wait for the next attempt.
  addEventListener('online', () => visit.retry())
  // A page that the browser had put to sleep, or aside, was visible all the time for all it knows.
  addEventListener('pageshow', () => visit.retry())
  document.addEventListener('resume', () => visit.retry())
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') visit.retry()
  })
}
