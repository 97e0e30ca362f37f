/** In milliseconds. Longer spares a relay that is back less than it costs people who sit and wait for it. */
const longest = 15_000
const shortest = 500

/**
 * How long to wait before the next attempt: nothing at first, then a random part of a doubling bound ("full jitter"), so
 * that the clients of a relay that died do not come back all at once.
 */
export class Backoff {
  #failures = 0
  #atLeast = 0

  next(): number {
    const bound = this.#failures === 0 ? 0 : Math.min(longest, shortest * 2 ** this.#failures)
    const delay = this.#atLeast + Math.random() * bound
    this.#atLeast = 0
    return delay
  }

  failed(): void {
    this.#failures++
  }

  succeeded(): void {
    this.#failures = 0
  }

  /** The relay, or a person pressing "try now", knows better. */
  startAfter(milliseconds: number): void {
    this.#failures = 0
    this.#atLeast = milliseconds
  }
}
