/** What is written in one turn of the event loop; a third of a millisecond's work. */
const turnBytes = 1 << 18

export interface Waiting {
  /** Bytes it has to write. */
  readonly waitingBytes: number
  write(): void
}

/** Large things are written a few at a time, in the order they came: whoever has little to say is served in between. */
export class Turns {
  #waiting: Waiting[] = []

  add(waiting: Waiting): void {
    if (this.#waiting.push(waiting) === 1) setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    let bytes = 0
    let written = 0
    while (bytes < turnBytes) {
      const next = this.#waiting[written]
      if (!next) break
      bytes += next.waitingBytes
      next.write()
      written++
    }
    this.#waiting.splice(0, written)
    if (this.#waiting.length > 0) setImmediate(this.#turn)
  }
}
