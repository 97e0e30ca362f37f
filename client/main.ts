import { mount } from 'svelte'
import App from './app.svelte'
import { keptSessions } from './device.ts'
import { forgetEstimatesOfOthers } from './estimate-memory.ts'
import { preferences } from './preferences.svelte.ts'
import { deleteReplicasExcept } from './replica/replica.ts'
import { followVersions } from './update.svelte.ts'
import { Visit } from './visit.svelte.ts'

const base = new URL('.', document.baseURI).href
// Relative addresses would move with every navigation inside the app.
document.querySelector('base')?.setAttribute('href', base)
const visit = new Visit(base)

function start(): void {
  mount(App, {
    target: document.getElementById('app') ?? document.body,
    props: {
      home: visit,
      get current() {
        return visit.current
      },
    },
  })
}

// Nothing is shown before its words are there; when they cannot be fetched, it speaks English.
preferences.load(navigator.languages).then(start, start)

// Removing a session can be undone while the page is open; what it left goes with the next visit.
forgetEstimatesOfOthers()
deleteReplicasExcept(() => keptSessions().map(({ id }) => id)).catch(() => {}) // storage is blocked: nothing is kept

visit.follow(location.href)
addEventListener('popstate', () => visit.follow(location.href))
// A link to another session that is pasted over this one changes only what is behind the `#`.
addEventListener('hashchange', () => visit.follow(location.href))

// Browsers allow it on https and on localhost only; elsewhere the app works without opening offline.
if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  followVersions(base).catch(() => {}) // the browser refuses: the app works without opening offline
}
