import type { Card } from '../../shared/deck.ts'
import { votesOf } from '../../shared/round.ts'
import type { Told } from '../../shared/statistics.ts'
import type { StoryView } from '../session/session-view.ts'

/** One story as every export writes it. */
export interface ExportRow {
  readonly title: string
  readonly key: string
  readonly link: string
  readonly notes: string
  readonly estimate: Card | undefined
  /** The labels of the estimates among which somebody has to choose. */
  readonly conflicting: readonly string[]
  /** What it came with from elsewhere, as text. */
  readonly given: string
  readonly state: 'open' | 'settled' | 'conflict'
  readonly rounds: number
  /** Of the last revealed round. */
  readonly votes: readonly ExportVote[]
}

export interface ExportVote {
  readonly name: string
  readonly label: string
  readonly unsure: boolean
}

/** `inOrder`: in which readers look for a name. */
export function exportRow(
  { story, rounds, estimate }: Told<StoryView>,
  notes: string,
  nameOf: (participant: string) => string,
  inOrder: (votes: readonly ExportVote[]) => readonly ExportVote[],
): ExportRow {
  const last = rounds.findLast(({ tally }) => tally)
  const groups = [...(last?.tally?.groups ?? []), ...(last?.tally?.specials ?? [])]
  const unsure = new Set<string>(
    (last ? votesOf(last.state) : []).flatMap((vote) => (vote.unsure ? vote.voter : [])),
  )
  const conflicting = story.estimates.length > 1 ? story.estimates.map(({ card }) => card.label) : []
  return {
    title: story.title,
    key: story.key,
    link: story.link ?? '',
    notes,
    estimate,
    conflicting,
    given: story.given,
    state: estimate ? 'settled' : conflicting.length > 0 ? 'conflict' : 'open',
    rounds: rounds.filter(({ tally }) => tally).length,
    votes: groups.flatMap(({ card, voters }) => {
      const label = last?.record.cards[card]?.label ?? ''
      return inOrder(voters.map((voter) => ({ name: nameOf(voter), label, unsure: unsure.has(voter) })))
    }),
  }
}
