import type * as Y from 'yjs'
import { addStories, markRemoved, type NewStory, titleOf } from '../../shared/document.ts'
import type { StoryId } from '../../shared/id.ts'
import { yielded } from '../device/yielded.ts'
import type { SessionCore } from './core.ts'
import type { Title } from './session-view.ts'
import { difference } from './shared-text.ts'

/** How many stories go into the document in one change. */
const portion = 200
/** For so many milliseconds before the page is drawn: drawing takes as long as a portion. */
const stretch = 30

export interface Brought {
  /** Of stories that are there already. */
  readonly titles: readonly Title[]
  /** Grows while they are brought in: what is there when it is given up stays. */
  readonly added: StoryId[]
  /** The titles as they were. */
  readonly before: Title[]
}

export interface Arriving extends Brought {
  readonly stories: readonly NewStory[]
  readonly progress: (done: number) => void
  readonly signal: AbortSignal | undefined
}

/** Brings many stories into the backlog, while the page goes on. */
export async function bringIn(
  { doc, backlog }: Pick<SessionCore, 'doc' | 'backlog'>,
  { stories, titles, added, before, progress, signal }: Arriving,
): Promise<void> {
  before.push(...retitle(doc, titles))
  let begun = performance.now()
  while (added.length < stories.length && !signal?.aborted) {
    const latest = added.at(-1)
    const last = latest ? backlog.story(latest) : backlog.stories.at(-1)
    added.push(...addStories(doc, stories.slice(added.length, added.length + portion), last?.order))
    if (performance.now() - begun < stretch && added.length < stories.length) continue
    progress(added.length)
    await yielded()
    begun = performance.now()
  }
}

/** Takes both back, but for titles that somebody has changed since. */
export function takeOut({ doc }: Pick<SessionCore, 'doc'>, { titles, added, before }: Brought): void {
  doc.transact(() => {
    for (const story of added) markRemoved(doc, story, true)
    const brought = new Map(titles.map(({ story, title }) => [story, title]))
    retitle(
      doc,
      before.filter(({ story }) => titleOf(doc, story)?.toString() === brought.get(story)),
    )
  })
}

/** What people write into a title meanwhile stays. Returns the titles that were there. */
function retitle(doc: Y.Doc, titles: readonly Title[]): Title[] {
  return doc.transact(() =>
    titles.flatMap(({ story, title }) => {
      const text = titleOf(doc, story)
      const had = text?.toString() ?? ''
      const change = difference(had, title)
      if (!text || !change) return []
      text.delete(change.at, change.remove)
      text.insert(change.at, change.insert)
      return { story, title: had }
    }),
  )
}
