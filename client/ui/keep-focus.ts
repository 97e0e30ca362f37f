import type { SessionView, TableView } from '../session-view.ts'

const last = new WeakMap<SessionView, string>()

/**
 * When the table changes and what had the focus goes with it, the focus moves to what takes its place, the element
 * marked `data-focus`, instead of falling back to the top of the page.
 */
export function keepFocus(session: SessionView, { round, state }: TableView): void {
  const before = last.get(session)
  const now = `${round} ${state.phase}`
  last.set(session, now)
  if (before === undefined || before === now || document.activeElement !== document.body) return
  document.querySelector<HTMLElement>('[data-focus]')?.focus({ preventScroll: true })
}
