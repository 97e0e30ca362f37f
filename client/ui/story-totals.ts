import type { StoryView } from '../session/session-view.ts'

export interface Totals {
  readonly settled: number
  /** Of the estimates that have a number. */
  readonly sum: number
  readonly withoutNumber: number
}

export function totalsOf(stories: readonly StoryView[]): Totals {
  let [settled, sum, withoutNumber] = [0, 0, 0]
  for (const { estimates } of stories) {
    const [estimate, second] = estimates
    if (!estimate || second) continue
    settled++
    if (estimate.card.number === undefined) withoutNumber++
    else sum += estimate.card.number
  }
  return { settled, sum, withoutNumber }
}
