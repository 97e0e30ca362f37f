// Why and how: client/fetching/fetch-part.ts
window.tryAgain ??= ({ target }) => {
  const isStyle = target instanceof HTMLLinkElement && target.rel === 'stylesheet'
  if (!isStyle && target.type !== 'module') return
  const [visit] = performance.getEntriesByType('navigation')
  setTimeout(
    () => {
      if (!isStyle) location.reload()
      else if (target.isConnected) target.replaceWith(target.cloneNode())
    },
    visit?.type === 'reload' ? 5000 : 1000,
  )
}
addEventListener('error', window.tryAgain, true)
