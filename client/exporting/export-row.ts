import type { Card } from '../../shared/deck.ts'
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
  readonly votes: readonly { readonly name: string; readonly label: string }[]
}

/** `namesOf`: in the order in which readers look for a name. */
export function exportRow(
  { story, rounds, estimate }: Told<StoryView>,
  notes: string,
  namesOf: (participants: readonly string[]) => readonly string[],
): ExportRow {
  const last = rounds.findLast(({ tally }) => tally)
  const groups = [...(last?.tally?.groups ?? []), ...(last?.tally?.specials ?? [])]
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
    votes: groups.flatMap(({ card, voters }) =>
      namesOf(voters).map((name) => ({
        name,
        label: last?.record.cards[card]?.label ?? '',
      })),
    ),
  }
}
