// Why and how: client/fetching/fetch-part.ts
window.tryAgain ??= ({ target, error, filename }) => {
  const app = document.querySelector('#app')
  if (error instanceof SyntaxError && /\/assets\/(index|core)-/.test(filename) && !app.firstChild)
    app.textContent = 'This browser is too old for Facedown. Update it, or open the link in another one.'
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
