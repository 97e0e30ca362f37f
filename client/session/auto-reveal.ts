/** Time to change one's mind, and for the turn of the next when the first does not act. */
const pause = 1_200

/**
 * Reveals when everybody present has voted and the rules say so. All who may would reveal at once; so each waits for their
 * turn, in the order of their ids, and the others see the reveal before it is theirs.
 */
export class AutoReveal {
  #timer: ReturnType<typeof setTimeout> | undefined
  #round: string | undefined

  /** `turn`: this participant's place among those who may reveal; undefined when it is not the time to. */
  consider(round: string, turn: number | undefined, reveal: () => void): void {
    if (turn === undefined || round !== this.#round) this.stop()
    if (turn === undefined || this.#timer) return
    this.#round = round
    this.#timer = setTimeout(
      () => {
        this.stop()
        reveal()
      },
      pause * (turn + 1),
    )
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
