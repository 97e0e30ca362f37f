import type { Mending, MendingOptions } from './mending.ts'

/** Fetches the mending when there is a difference that lasts, which is seldom: the first view does not wait for it. */
export class LazyMending {
  readonly #options: MendingOptions
  #mending: Promise<Mending> | undefined

  constructor(options: MendingOptions) {
    this.#options = options
  }

  consider(): void {
    if (this.#options.same() !== false) return
    this.#mending ??= import('./mending.ts').then(({ Mending }) => new Mending(this.#options))
    this.#mending.then(
      (mending) => mending.consider(),
      () => {
        this.#mending = undefined // without a network; the next change asks again
      },
    )
  }

  stop(): void {
    void this.#mending?.then((mending) => mending.stop())
  }
}
