import * as Y from 'yjs'
import { chronicleOf, type PastRound } from '../../shared/chronicle.ts'
import { readTimes } from '../../shared/document.ts'
import type { StoryId } from '../../shared/id.ts'
import { encodeSessionFile, type FileKind } from '../../shared/session-file.ts'
import type { Told } from '../../shared/statistics.ts'
import type { SessionArchive, StoryView } from '../session-view.ts'
import type { SessionCore } from './core.ts'

/** As long as a portion of the work may hold up the page, in milliseconds. */
const portion = 12

export class Archive implements SessionArchive {
  readonly #core: SessionCore
  readonly #stories: () => readonly StoryView[]

  constructor(core: SessionCore, stories: () => readonly StoryView[]) {
    this.#core = core
    this.#stories = stories
  }

  file(kind: FileKind): Uint8Array<ArrayBuffer> {
    const update = Y.encodeStateAsUpdate(this.#core.doc)
    return encodeSessionFile(this.#core.options.keys, update, kind).slice()
  }

  chronicle(story: StoryId | undefined): readonly PastRound[] {
    return chronicleOf(this.#core.ledger, story ?? 'quick', readTimes(this.#core.doc))
  }

  async *everything(): AsyncGenerator<Told<StoryView>> {
    const { ledger } = this.#core
    const times = readTimes(this.#core.doc)
    let paused = performance.now()
    for (const story of this.#stories()) {
      const rounds = chronicleOf(ledger, story.id, times)
      const [estimate, second] = story.estimates
      const settled = ledger.estimatesOf(story.id).flatMap(({ record }) => times.get(record.id) ?? [])
      yield {
        story,
        rounds,
        estimate: second ? undefined : estimate?.card,
        settled: settled.length > 0 ? Math.max(...settled) : undefined,
      }
      if (performance.now() - paused < portion) continue
      await new Promise((resolve) => setTimeout(resolve))
      paused = performance.now()
    }
  }
}
