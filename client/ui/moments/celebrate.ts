/** Confetti, in the colours of the table. Nothing for those who asked their system for less motion. */
export async function celebrate(): Promise<void> {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return
  const { default: confetti } = await import('canvas-confetti')
  const colors = ['--card-back', '--accent', '--warning'].map(hexOf)
  // A worker would be made from a blob, which the page's policy forbids.
  const shoot = confetti.create(undefined, { resize: true, useWorker: false })
  await shoot({ particleCount: 90, spread: 75, startVelocity: 38, origin: { y: 0.55 }, colors })
  shoot.reset()
}

/** The colour a token has here and now: it may be one for light and one for dark. */
function hexOf(token: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${token})`
  document.body.append(probe)
  const [r = 0, g = 0, b = 0] = (getComputedStyle(probe).color.match(/\d+/g) ?? []).map(Number)
  probe.remove()
  return `#${[r, g, b].map((part) => part.toString(16).padStart(2, '0')).join('')}`
}
