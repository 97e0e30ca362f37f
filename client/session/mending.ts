import type * as Y from 'yjs'
import type { Ledger } from '../../shared/ledger.ts'
import { Restoring } from './restoring.ts'

/** Whoever has what nobody else has begins, and may spare the others the trouble. */
const head = 5_000
const spread = 4_000
const shortest = 10_000
const longest = 600_000

export interface MendingOptions {
  /** Whether the others here have the same, see `Same`. */
  readonly same: () => boolean | undefined
  /** Of what this device has. */
  readonly digest: () => string | undefined
  /** Nobody else has what this device has. */
  readonly alone: () => boolean
  /** `attempt` counts those that were in vain. */
  readonly mend: (attempt: number) => void
  readonly doc: Y.Doc
  readonly ledger: Ledger
}

/**
 * Others have something else than this device, and it lasts: some relay has kept an entry from somebody, or lost one. Then
 * the log is read again from its beginning, and gets what it lacks, or the others are asked. Where that changed nothing it is
 * done seldom.
 */
export class Mending {
  readonly #options: MendingOptions
  readonly #restoring: Restoring
  #deciding: ReturnType<typeof setTimeout> | undefined
  #resting: ReturnType<typeof setTimeout> | undefined
  #pause = shortest
  /** How often what this device has was mended in vain. */
  #attempt = 0
  /** What this device had when it last did. */
  #mended: string | undefined

  constructor(options: MendingOptions) {
    this.#options = options
    this.#restoring = new Restoring(options.doc, options.ledger)
  }

  /** Somebody erased a record, or wrote over it. */
  suspect(key: string): void {
    this.#restoring.suspect(key)
  }

  consider(): void {
    if (this.#options.same() !== false || this.#deciding) return
    if (this.#resting && this.#options.digest() === this.#mended) return
    const delay = (this.#options.alone() ? 0 : head) + Math.random() * spread
    this.#deciding = setTimeout(() => this.#decide(), delay)
  }

  stop(): void {
    this.#restoring.stop()
    clearTimeout(this.#deciding)
    clearTimeout(this.#resting)
  }

  #decide(): void {
    this.#deciding = undefined
    if (this.#options.same() !== false) return
    const digest = this.#options.digest()
    const inVain = digest === this.#mended
    this.#attempt = inVain ? this.#attempt + 1 : 0
    this.#pause = inVain ? Math.min(longest, this.#pause * 2) : shortest
    this.#mended = digest
    clearTimeout(this.#resting)
    this.#resting = setTimeout(() => {
      this.#resting = undefined
      this.consider()
    }, this.#pause)
    this.#options.mend(this.#attempt)
  }
}
