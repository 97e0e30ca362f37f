import { fetched } from '../fetching/fetched.ts'
import { panelWords } from '../words/words.svelte.ts'

/** What shows a revealed round: no part of the way to the first vote, so it is fetched when somebody has voted. */
class OnceRevealed {
  #parts = $state.raw<Awaited<ReturnType<typeof fetchParts>>>()
  #isMissed = $state(false)
  #loading: Promise<void> | undefined

  /** Undefined until they are here. */
  get parts() {
    return this.#parts
  }

  /** Whether they have not come for a while. */
  get isMissed(): boolean {
    return this.#isMissed
  }

  load(): Promise<void> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  async #load(): Promise<void> {
    this.#parts = await fetched(fetchParts, () => {
      this.#isMissed = true
      return true
    })
  }
}

async function fetchParts() {
  const [parts] = await Promise.all([import('./revealed-parts.ts'), panelWords()])
  return parts
}

export const onceRevealed = new OnceRevealed()
