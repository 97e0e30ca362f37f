import type { Participant } from '../../shared/participant.ts'
import type { RecordOf } from '../../shared/record.ts'
import { votesOf } from '../../shared/round.ts'
import { tally } from '../../shared/tally.ts'
import type { SessionCore } from './core.ts'
import type { LazyEscrow } from './lazy-escrow.ts'
import type { StoryView, TableView } from './session-view.ts'

export function tableView(
  { escrow, ledger, participant, mayWrite }: SessionCore,
  round: RecordOf<'round'>,
  story: StoryView | undefined,
  everybodys: boolean,
): TableView {
  const state = ledger.resolve(round)
  const chosen = mayWrite ? participant.choiceIn(round) : undefined
  const leftBehind = mayWrite && state.phase === 'voting' ? participant.leftBehind(round) : undefined
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
    ...(leftBehind ? { leftBehind: leftBehind.label } : {}),
    unsure: chosen?.unsure ?? false,
    ...(chosen && state.phase === 'voting' ? { opensAlone: keepsLatest(escrow, participant, round) } : {}),
    earlier: ledger
      .rounds(round.story ?? 'quick')
      .filter(({ id }) => id !== round.id && ledger.isRevealed(id)).length,
    everybodys,
    mayDecide: mayWrite && ledger.mayDecide(participant.id, round),
  }
}

function keepsLatest(escrow: LazyEscrow, participant: Participant, round: RecordOf<'round'>): boolean {
  const latest = participant.latestSeal(round.id)
  return latest !== undefined && escrow.keeps(latest)
}
