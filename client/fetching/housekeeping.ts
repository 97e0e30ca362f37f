import { keptSessions } from '../device/device.ts'
import { forgetEstimatesOfOthers } from '../device/earlier-stories.ts'
import { noteRegions } from '../link/regions.ts'
import { deleteReplicasExcept } from '../replica/forgotten.ts'
import { followLinks } from '../visit/follow-links.ts'
import type { Visit } from '../visit/visit.svelte.ts'
import { followVersions } from './follow-versions.ts'

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

  askBeforeLeaving(base, visit)
  // Somebody who looks again, or has a network again, does not wait for the next attempt.
  addEventListener('online', () => visit.retry())
  // A page that the browser had put to sleep, or aside, was visible all the time for all it knows.
  addEventListener('pageshow', () => visit.retry())
  document.addEventListener('resume', () => visit.retry())
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') visit.retry()
  })
}

/** What is kept nowhere would be lost without a word: then all ways lead out of this page, and the browser asks. */
function askBeforeLeaving(base: string, visit: Visit): void {
  const wouldLose = () => {
    if (visit.current.page !== 'session') return false
    const { device, waiting } = visit.current.session.saved
    return typeof device === 'object' && waiting > 0
  }
  addEventListener('beforeunload', (event) => {
    if (wouldLose()) event.preventDefault()
  })
  followLinks(
    base,
    (address) => visit.follow(address),
    () => import('../pages/home.svelte'),
    () => !wouldLose(),
  )
  // Whoever goes back, and then stays, is still where they were when they did something there.
  let at = location.href
  for (const did of ['pointerdown', 'keydown'] as const) {
    addEventListener(did, () => (at = location.href), true)
  }
  addEventListener(
    'popstate',
    (event) => {
      const { href } = location
      if (href === at || !wouldLose()) return
      event.stopImmediatePropagation()
      history.pushState(null, '', at)
      location.assign(href)
    },
    true,
  )
}
