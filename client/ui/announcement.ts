import type { SessionView, TableView } from '../session/session-view.ts'
import { t } from '../words/words.svelte.ts'
import { onceRevealed } from './once-revealed.svelte.ts'
import { nameOf, votedAtTable } from './seats.ts'

/** What somebody who cannot see the table hears when it changes: each sentence is said when it appears. */
export function announcements(session: SessionView, table: TableView, seats: number): readonly string[] {
  return [
    outcome(session, table, seats),
    reasons(session, table),
    ...late(session, table),
    ...takenOver(session),
  ].filter(Boolean)
}

function outcome(session: SessionView, { state, tally, cards }: TableView, seats: number): string {
  const label = (card: number | undefined) => (card === undefined ? undefined : cards[card]?.label)
  switch (state.phase) {
    case 'voting': {
      const count = votedAtTable(session, state.voted)
      return count > 0 ? t('table.voted', { count, of: seats }) : ''
    }
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

/** A sentence of its own: it needs what is fetched once somebody has voted, and must not hold back the outcome. */
function reasons(session: SessionView, table: TableView): string {
  return (table.state.phase === 'revealed' && onceRevealed.parts?.speaksFirst(session, table)) || ''
}

function late(session: SessionView, { state }: TableView): readonly string[] {
  if (state.phase === 'voting') return []
  const voters = [...state.votes].filter(([, vote]) => vote.state === 'late')
  return voters.map(([voter]) => t('announce.late', { name: nameOf(session, voter) }))
}

function takenOver({ people }: SessionView): readonly string[] {
  return people
    .filter((person) => person.tookOver && !person.me)
    .map(({ name }) => t('announce.tookOver', { name }))
}
