import { addStories, type NewStory } from '../../shared/document.ts'
import type { StoryId } from '../../shared/id.ts'
import { yielded } from '../visit/yielded.ts'
import type { SessionCore } from './core.ts'

/** How many stories go into the document in one change. */
const portion = 200
/** For so many milliseconds before the page is drawn: drawing takes as long as a portion. */
const stretch = 30

export interface Arriving {
  readonly stories: readonly NewStory[]
  /** Grows while they are brought in: what is there when it is given up stays. */
  readonly added: StoryId[]
  readonly progress: (done: number) => void
  readonly signal: AbortSignal | undefined
}

/** Brings many stories into the backlog, while the page goes on. */
export async function bringIn(
  { doc, backlog }: SessionCore,
  { stories, added, progress, signal }: Arriving,
): Promise<void> {
  let begun = performance.now()
  while (added.length < stories.length) {
    signal?.throwIfAborted()
    const before = added.at(-1)
    const last = before ? backlog.story(before) : backlog.stories.at(-1)
    added.push(...addStories(doc, stories.slice(added.length, added.length + portion), last?.order))
    if (performance.now() - begun < stretch && added.length < stories.length) continue
    progress(added.length)
    await yielded()
    begun = performance.now()
  }
}
