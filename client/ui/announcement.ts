import type { TableView } from '../session-view.ts'
import { words } from '../words.ts'

/** What somebody who cannot see the table hears when it changes. */
export function announcement(table: TableView, seats: number): string {
  const { state, tally } = table
  const label = (card: number | undefined) => (card === undefined ? undefined : table.cards[card]?.label)
  switch (state.phase) {
    case 'voting':
      return state.voted.size > 0 ? words.table.voted(state.voted.size, seats) : ''
    case 'revealed': {
      const median = label(tally?.median)
      if (median === undefined) return words.announce.revealed
      return tally?.consensus
        ? words.announce.revealedConsensus(median)
        : words.announce.revealedMedian(median)
    }
    case 'settled':
      return words.announce.settled(state.estimate.card.label)
    case 'conflict':
      return words.announce.conflict
  }
}
