import { parseRoute } from './router.ts'

/**
 * Links from one page of the app to another change what is shown instead of loading it all again, which a network may
 * cut short: then there is a blank page. Every other link is the browser's, and so is one to a part of the app that does
 * not come: the relay may have another version by now. `mayGo` says no where the browser has to ask first.
 */
export function followLinks(
  base: string,
  follow: (address: string) => Promise<void>,
  loadHome: () => Promise<unknown>,
  mayGo: () => boolean,
): void {
  document.addEventListener('click', async (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (!link || !isPlain(event) || link.target || link.origin !== location.origin) return
    const { href } = link
    const { page } = parseRoute(href, base)
    if ((page !== 'home' && page !== 'session') || !mayGo()) return
    event.preventDefault()
    try {
      if (page === 'home') await loadHome()
    } catch {
      return location.assign(href)
    }
    if (href !== location.href) history.pushState(null, '', href)
    await follow(href)
    if (href === location.href) begin()
  })
}

/** With a key held down browsers open a link elsewhere, or save it. */
function isPlain(event: MouseEvent): boolean {
  const { defaultPrevented, button, altKey, ctrlKey, metaKey, shiftKey } = event
  return !(defaultPrevented || button !== 0 || altKey || ctrlKey || metaKey || shiftKey)
}

/** As after loading: at the top, for the eyes and for the keyboard. */
function begin(): void {
  scrollTo(0, 0)
  const app = document.getElementById('app')
  if (!app) return
  app.tabIndex = -1
  app.style.outline = 'none'
  app.focus({ preventScroll: true })
}
