import type { RecordOf } from '../../shared/record.ts'
import { votesOf } from '../../shared/round.ts'
import { tally } from '../../shared/tally.ts'
import type { StoryView, TableView } from '../session-view.ts'
import type { SessionCore } from './core.ts'

export function tableView(
  { ledger, participant, mayWrite }: SessionCore,
  round: RecordOf<'round'>,
  story: StoryView | undefined,
  everybodys: boolean,
): TableView {
  const state = ledger.resolve(round)
  const chosen = mayWrite ? participant.choiceIn(round) : undefined
  const votes = votesOf(state)
  const sure = votes.filter((vote) => !vote.unsure)
  return {
    ...(story ? { story } : {}),
    round: round.id,
    cards: round.cards,
    state,
    ...(state.phase === 'voting' ? {} : { tally: tally(round.cards, votes) }),
    ...(sure.length < votes.length ? { sureTally: tally(round.cards, sure) } : {}),
    ...(chosen ? { chosen: chosen.card } : {}),
    unsure: chosen?.unsure ?? false,
    earlier: ledger.rounds(round.story ?? 'quick').filter(({ id }) => !ledger.withdrawn(id)).length - 1,
    everybodys,
    mayDecide: mayWrite && ledger.mayDecide(participant.id, round),
  }
}
