import type { TableView } from '../session-view.ts'
import { t } from '../words.svelte.ts'

/** What somebody who cannot see the table hears when it changes. */
export function announcement(table: TableView, seats: number): string {
  const { state, tally } = table
  const label = (card: number | undefined) => (card === undefined ? undefined : table.cards[card]?.label)
  switch (state.phase) {
    case 'voting':
      return state.voted.size > 0 ? t('table.voted', { count: state.voted.size, of: seats }) : ''
    case 'revealed': {
      const median = label(tally?.median)
      if (median === undefined) return t('announce.revealed')
      return tally?.consensus
        ? t('announce.consensus', { label: median })
        : t('announce.median', { label: median })
    }
    case 'settled':
      return t('announce.settled', { label: state.estimate.card.label })
    case 'conflict':
      return t('announce.conflict')
  }
}
