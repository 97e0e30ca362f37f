import type { StoryView } from '../session/session-view.ts'

export const filters = ['all', 'unestimated', 'open', 'estimated', 'conflict'] as const
export type Filter = (typeof filters)[number]

/** The stories whose title or key has every word of the query, in any script and case. */
export function filterStories(
  stories: readonly StoryView[],
  query: string,
  filter: Filter,
): readonly StoryView[] {
  const words = fold(query)
    .split(/\s+/)
    .filter((word) => word !== '')
  if (words.length === 0 && filter === 'all') return stories
  return stories.filter((story) => {
    const text = fold(`${story.key} ${story.title}`)
    return words.every((word) => text.includes(word)) && passes(story, filter)
  })
}

function passes(story: StoryView, filter: Filter): boolean {
  switch (filter) {
    case 'all':
      return true
    case 'unestimated':
      return story.estimates.length === 0
    case 'open':
      return story.round === 'voting'
    case 'estimated':
      return story.estimates.length === 1
    case 'conflict':
      return story.estimates.length > 1
  }
}

/** "Café" is found by "cafe", full-width letters by their narrow ones. */
function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
}
