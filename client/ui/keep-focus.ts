/**
 * When the table changes and what had the focus goes with it, the focus moves to what takes its place, the element
 * marked `data-focus`, instead of falling back to the top of the page.
 */
export function keepFocus(): void {
  // When the page is drawn anyway: focusing lays it out.
  requestAnimationFrame(() => {
    if (document.activeElement !== document.body) return
    document.querySelector<HTMLElement>('[data-focus]')?.focus({ preventScroll: true })
  })
}
