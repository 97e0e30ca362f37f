import * as Y from 'yjs'
import { inOrder, readStory, type Story, storiesOf } from './document.ts'
import type { StoryId } from './id.ts'

/** The stories of a document, kept in order while it changes: reading ten thousand of them at every key press is too much. */
export class Backlog {
  readonly #stories = new Map<string, Story>()
  #sorted: readonly Story[] | undefined

  constructor(doc: Y.Doc) {
    const stories = storiesOf(doc)
    for (const key of stories.keys()) this.#read(stories, key)
    stories.observeDeep((events) => {
      for (const event of events) {
        if (event.path.length > 0) this.#read(stories, String(event.path[0]))
        else if (event instanceof Y.YMapEvent) {
          // null, where a foreign client put a list into the map
          for (const key of event.keysChanged) this.#read(stories, String(key))
        }
      }
    })
  }

  /** In order, without the removed ones. The same story is the same object until it changes. */
  get stories(): readonly Story[] {
    this.#sorted ??= [...this.#stories.values()].sort(inOrder)
    return this.#sorted
  }

  story(id: StoryId): Story | undefined {
    return this.#stories.get(id)
  }

  #read(stories: Y.Map<unknown>, key: string): void {
    const story = readStory(key, stories.get(key))
    if (story) this.#stories.set(key, story)
    else this.#stories.delete(key)
    this.#sorted = undefined
  }
}
