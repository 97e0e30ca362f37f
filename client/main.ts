import { mount } from 'svelte'
import App from './app.svelte'
import { preferences } from './device/preferences.svelte.ts'
import { yielded } from './device/yielded.ts'
import { Visit } from './visit/visit.svelte.ts'

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

/** In one task for each step: what evaluating the files took is enough for the first. */
async function begin(): Promise<void> {
  await yielded()
  // Nothing is shown before its words are there; when they cannot be fetched, it speaks English.
  preferences.load(navigator.languages).then(start, start)
  await yielded()
  visit.follow(location.href)
  addEventListener('popstate', () => visit.follow(location.href))
  // A link to another session that is pasted over this one changes only what is behind the `#`.
  addEventListener('hashchange', () => visit.follow(location.href))
  setTimeout(
    () =>
      void import('./fetching/housekeeping.ts')
        .then(({ keepHouse }) => keepHouse(base, visit))
        .catch(() => {}),
    3_000,
  )
}

begin()
