import { panelWords } from '../words.svelte.ts'

/** What shows a revealed round: no part of the way to the first vote, so it is fetched when somebody has voted. */
class OnceRevealed {
  #parts = $state.raw<Awaited<ReturnType<typeof fetchParts>>>()
  #loading: Promise<void> | undefined

  /** Undefined until they are here. */
  get parts() {
    return this.#parts
  }

  /** Rejects when they cannot be fetched; asking again tries again. */
  load(): Promise<void> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  async #load(): Promise<void> {
    try {
      this.#parts = await fetchParts()
    } catch (error) {
      this.#loading = undefined
      throw error
    }
  }
}

async function fetchParts() {
  const [parts] = await Promise.all([import('./revealed-parts.ts'), panelWords()])
  return parts
}

export const onceRevealed = new OnceRevealed()
