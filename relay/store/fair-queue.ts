/** So many of one session's requests go along at most while others wait, too. */
export const atOnce = 8

/** And so many of all sessions, or few more: some take milliseconds, and whatever is to be saved meanwhile waits for all of them. */
export const mostAtOnce = 64

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

  /** The next portion: what was asked for first, of one session after the other. */
  take(): Item[] {
    const portion: Item[] = []
    const unfinished: [string, Item[]][] = []
    for (const [session, own] of this.#waiting) {
      if (portion.length >= mostAtOnce) break
      portion.push(...own.splice(0, atOnce))
      this.#waiting.delete(session)
      if (own.length > 0) unfinished.push([session, own])
    }
    for (const [session, own] of unfinished) this.#waiting.set(session, own) // behind all others
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
