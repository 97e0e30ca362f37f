import { parseRoute } from './router.ts'

/**
 * Links from one page of the app to another change what is shown instead of loading it all again, which a network may
 * cut short: then there is a blank page. Every other link is the browser's.
 */
export function followLinks(base: string, follow: (address: string) => Promise<void>): void {
  document.addEventListener('click', async (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (!link || !isPlain(event) || link.target || link.origin !== location.origin) return
    const { page } = parseRoute(link.href, base)
    if (page !== 'home' && page !== 'session') return
    event.preventDefault()
    history.pushState(null, '', link.href)
    await follow(link.href)
    scrollTo(0, 0)
  })
}

/** With a key held down browsers open a link elsewhere, or save it. */
function isPlain(event: MouseEvent): boolean {
  const { defaultPrevented, button, altKey, ctrlKey, metaKey, shiftKey } = event
  return !(defaultPrevented || button !== 0 || altKey || ctrlKey || metaKey || shiftKey)
}
