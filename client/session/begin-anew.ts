/** What a new deck and new rules do to the rounds that nobody has revealed yet. */
import type { Deck } from '../../shared/deck.ts'
import { writeDeck } from '../../shared/document.ts'
import type { RecordOf } from '../../shared/record.ts'
import type { RoundState } from '../../shared/round.ts'
import type { SessionCore } from './core.ts'
import type { Rules } from './session-view.ts'

/** They begin anew with the new cards, if this participant may start any; where somebody has voted they go on as they are. */
export function deal(core: SessionCore, deck: Deck): void {
  const { doc, ledger, participant } = core
  doc.transact(() => {
    writeDeck(doc, deck)
    if (!ledger.mayStart(participant.id)) return
    for (const [round, { voted }] of openRounds(core)) {
      if (voted.size > 0) continue
      core.add(participant.startRound(round.story, deck.cards), true)
      core.add(participant.withdraw(round.id))
    }
  })
}

/** All begin anew, those too that would be out of order under the new rules: whoever voted carries their vote over. */
export function applyRules(core: SessionCore, rules: Rules): void {
  const { doc, participant } = core
  doc.transact(() => {
    const open = openRounds(core)
    core.add(participant.setRules(rules))
    for (const [{ story, cards }] of open) core.add(participant.startRound(story, cards), true)
  })
}

type Open = readonly [round: RecordOf<'round'>, state: Extract<RoundState, { phase: 'voting' }>]

function openRounds({ ledger }: SessionCore): readonly Open[] {
  const open: Open[] = []
  for (const topic of ledger.topics()) {
    const round = ledger.current(topic)
    if (!round) continue
    const state = ledger.resolve(round)
    if (state.phase === 'voting') open.push([round, state])
  }
  return open
}
