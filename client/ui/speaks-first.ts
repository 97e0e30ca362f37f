import type { SessionView, TableView } from '../session/session-view.ts'
import { byName, list } from '../words/formats.ts'
import { t } from '../words/words.svelte.ts'
import { nameOf } from './seats.ts'

/** Those with the lowest and the highest card, whose reasons the others want to hear; empty without a spread. */
export function speaksFirst(session: SessionView, { tally, cards }: TableView): string {
  if (!tally?.lowest || !tally.highest || !tally.spread) return ''
  const { lowest, highest } = tally
  return t('result.speak', {
    lowest: cards[lowest.card]?.label ?? '',
    low: namesOf(session, lowest.voters),
    highest: cards[highest.card]?.label ?? '',
    high: namesOf(session, highest.voters),
  })
}

/** Three of them when they are many. */
function namesOf(session: SessionView, voters: readonly Parameters<typeof nameOf>[1][]): string {
  const names = byName(voters.map((voter) => nameOf(session, voter)))
  const count = names.length - 3
  return list(count > 1 ? [...names.slice(0, 3), t('reveal.others', { count })] : names)
}
