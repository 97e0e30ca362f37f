import * as Y from 'yjs'
import { type PastRound, type Times, tellRounds } from '../../shared/chronicle.ts'
import { readTimes } from '../../shared/document.ts'
import type { StoryId } from '../../shared/id.ts'
import { keysFor } from '../../shared/keys.ts'
import type { Topic } from '../../shared/ledger.ts'
import { encodeSessionFile, type FileKind } from '../../shared/session-file.ts'
import type { Told } from '../../shared/statistics.ts'
import type { SessionCore } from './core.ts'
import type { SessionArchive, StoryView } from './session-view.ts'

/** As long as a portion of the work may hold up the page, in milliseconds. */
const portion = 12

export class Archive implements SessionArchive {
  readonly #core: SessionCore
  readonly #stories: () => readonly StoryView[]
  #paused = performance.now()

  constructor(core: SessionCore, stories: () => readonly StoryView[]) {
    this.#core = core
    this.#stories = stories
  }

  file(kind: FileKind): Uint8Array<ArrayBuffer> {
    const update = Y.encodeStateAsUpdate(this.#core.doc)
    const { keys } = this.#core.options
    // Whoever has a plain file is in the session; that must not make them its owner, who can delete it.
    const shared = keys.role === 'owner' ? keysFor('member', keys) : keys
    return encodeSessionFile(shared, update, kind).slice()
  }

  chronicle(story: StoryId | undefined): Promise<readonly PastRound[]> {
    return this.#tell(story ?? 'quick', readTimes(this.#core.doc))
  }

  async *everything(): AsyncGenerator<Told<StoryView>> {
    const { ledger } = this.#core
    const times = readTimes(this.#core.doc)
    for (const story of this.#stories()) {
      const rounds = await this.#tell(story.id, times)
      const [estimate, second] = story.estimates
      const settled = ledger.estimatesOf(story.id).flatMap(({ record }) => times.get(record.id) ?? [])
      yield {
        story,
        rounds,
        estimate: second ? undefined : estimate?.card,
        settled: settled.length > 0 ? Math.max(...settled) : undefined,
      }
    }
  }

  /** Verifying the votes of a round takes longer than a portion when nobody on this device has seen them before. */
  async #tell(topic: Topic, times: Times): Promise<PastRound[]> {
    const rounds: PastRound[] = []
    for (const round of tellRounds(this.#core.ledger, topic, times)) {
      rounds.push(round)
      await this.#breathe()
    }
    return rounds
  }

  async #breathe(): Promise<void> {
    if (performance.now() - this.#paused < portion) return
    await new Promise((resolve) => setTimeout(resolve))
    this.#paused = performance.now()
  }
}
