import { t } from '../words/words.svelte.ts'
import type { Seat } from './seats.ts'

const marks = { late: 'table.late', sealed: 'table.sealed', void: 'table.void' } as const
const chairs = { facilitator: 'table.facilitator', tookOver: 'table.tookOver' } as const

/** What stands under a name: whatever sets this seat apart from an ordinary one. */
export function notes({ mark, here, unsure, chair }: Seat, revealed = false): readonly string[] {
  const notes: string[] = []
  if (mark === 'late' || mark === 'sealed' || mark === 'void') notes.push(t(marks[mark]))
  else if (mark === 'nothing' && revealed) notes.push(t('table.seatEmpty'))
  else if (!here) notes.push(t('table.away'))
  else if (unsure) notes.push(t('table.unsure'))
  if (chair) notes.push(t(chairs[chair]))
  return notes
}

/** What somebody who cannot see the card hears; nothing where the words that stand there say it. */
export function spoken({ mark, label, name }: Seat, revealed: boolean): string {
  if (mark === 'nothing') return revealed || name === '' ? '' : t('table.seatThinking')
  return label === undefined ? t('table.seatVoted') : t('table.seatCard', { label })
}
