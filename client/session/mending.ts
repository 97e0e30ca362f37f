/** Who mends first may spare the others the trouble. */
const spread = 4_000
const shortest = 10_000
const longest = 600_000

/**
 * Others have something else than this device, and it lasts: some relay has kept an entry from somebody, or lost one. Then
 * the log is read again from its beginning, and gets what it lacks. Seldom when that does not help.
 */
export class Mending {
  readonly #same: () => boolean | undefined
  readonly #mend: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #pause = shortest

  constructor(same: () => boolean | undefined, mend: () => void) {
    this.#same = same
    this.#mend = mend
  }

  consider(): void {
    const same = this.#same()
    if (same) this.#pause = shortest
    if (same === false) this.#timer ??= setTimeout(() => this.#decide(), Math.random() * spread)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #decide(): void {
    this.#timer = undefined
    if (this.#same() !== false) return
    this.#mend()
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.consider()
    }, this.#pause)
    this.#pause = Math.min(longest, this.#pause * 2)
  }
}
