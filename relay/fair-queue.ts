/** So many of one session's requests go along at most while others wait, too. */
export const atOnce = 8

/** With more than that a session is refused: it asks faster than any disk answers. */
export const mostWaiting = 1_000

/**
 * Requests of many sessions, in the order they came, a portion at a time: a session that asks for a thousand things at once waits for
 * its own, and nobody waits for a thousand.
 */
export class FairQueue<Item> {
  /** By session, of those that wait for anything. */
  readonly #waiting = new Map<string, Item[]>()
  #length = 0

  get length(): number {
    return this.#length
  }

  /** False when so many of this session wait already. */
  push(session: string, item: Item): boolean {
    const own = this.#waiting.get(session)
    if (own && own.length >= mostWaiting) return false
    this.#length++
    if (own) own.push(item)
    else this.#waiting.set(session, [item])
    return true
  }

  /** The next portion: of every session what it asked for first. */
  take(): Item[] {
    const portion: Item[] = []
    for (const [session, own] of this.#waiting) {
      portion.push(...own.splice(0, atOnce))
      if (own.length === 0) this.#waiting.delete(session)
    }
    this.#length -= portion.length
    return portion
  }

  takeAll(): Item[] {
    const all = [...this.#waiting.values()].flat()
    this.#waiting.clear()
    this.#length = 0
    return all
  }
}
