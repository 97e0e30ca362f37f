// What the page itself names is asked for again when its connection breaks; the app does that for its parts (fetch-part.ts).
// A file, since nothing inline may run; index.html names it twice, so that there is a second try at this one, too.
window.tryAgain ??= ({ target }) => {
  const isStyle = target instanceof HTMLLinkElement && target.rel === 'stylesheet'
  if (!isStyle && target.type !== 'module') return
  // A line that broke is often back at once; a file that is not there stays away, and nobody should ask every second.
  const [visit] = performance.getEntriesByType('navigation')
  const patience = visit?.type === 'reload' ? 5_000 : 1_000
  setTimeout(() => {
    // Many browsers remember a module that failed. Nothing is shown yet, and what came is in their cache.
    if (!isStyle) location.reload()
    else if (target.isConnected) target.replaceWith(target.cloneNode())
  }, patience)
}
addEventListener('error', window.tryAgain, true)
