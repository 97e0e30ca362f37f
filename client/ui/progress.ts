import type { TableView } from '../session/session-view.ts'
import { t } from '../words/words.svelte.ts'

/** How far the round is, for the tab of somebody who looks at something else meanwhile. */
export function progress({ state }: TableView, seats: number): string {
  if (state.phase !== 'voting') return t('table.tabRevealed')
  return state.voted.size > 0 ? t('table.tabVoting', { voted: state.voted.size, of: seats }) : ''
}
