/** Whoever has what nobody else has begins, and may spare the others the trouble. */
const head = 5_000
const spread = 4_000
const shortest = 10_000
const longest = 600_000

/**
 * Others have something else than this device, and it lasts: some relay has kept an entry from somebody, or lost one. Then
 * the log is read again from its beginning, and gets what it lacks, or the others are asked. Where that changed nothing it is
 * done seldom.
 */
export class Mending {
  readonly #same: () => boolean | undefined
  readonly #digest: () => string | undefined
  readonly #alone: () => boolean
  readonly #mend: (attempt: number) => void
  #deciding: ReturnType<typeof setTimeout> | undefined
  #resting: ReturnType<typeof setTimeout> | undefined
  #pause = shortest
  /** How often what this device has was mended in vain. */
  #attempt = 0
  /** What this device had when it last did. */
  #mended: string | undefined

  constructor(
    same: () => boolean | undefined,
    digest: () => string | undefined,
    alone: () => boolean,
    mend: (attempt: number) => void,
  ) {
    this.#same = same
    this.#digest = digest
    this.#alone = alone
    this.#mend = mend
  }

  consider(): void {
    if (this.#same() !== false || this.#deciding) return
    if (this.#resting && this.#digest() === this.#mended) return
    const delay = (this.#alone() ? 0 : head) + Math.random() * spread
    this.#deciding = setTimeout(() => this.#decide(), delay)
  }

  stop(): void {
    clearTimeout(this.#deciding)
    clearTimeout(this.#resting)
  }

  #decide(): void {
    this.#deciding = undefined
    if (this.#same() !== false) return
    const digest = this.#digest()
    const inVain = digest === this.#mended
    this.#attempt = inVain ? this.#attempt + 1 : 0
    this.#pause = inVain ? Math.min(longest, this.#pause * 2) : shortest
    this.#mended = digest
    clearTimeout(this.#resting)
    this.#resting = setTimeout(() => {
      this.#resting = undefined
      this.consider()
    }, this.#pause)
    this.#mend(this.#attempt)
  }
}
