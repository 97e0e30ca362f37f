import type { Mending, MendingOptions } from './mending.ts'

/** Fetches the mending when there is something to mend, which is seldom: the first view does not wait for it. */
export class LazyMending {
  readonly #options: MendingOptions
  #mending: Promise<Mending> | undefined

  constructor(options: MendingOptions) {
    this.#options = options
  }

  consider(): void {
    if (this.#options.same() === false) this.#use((mending) => mending.consider())
  }

  suspect(key: string): void {
    this.#use((mending) => mending.suspect(key))
  }

  stop(): void {
    void this.#mending?.then((mending) => mending.stop())
  }

  #use(work: (mending: Mending) => void): void {
    this.#mending ??= import('./mending.ts').then(({ Mending }) => new Mending(this.#options))
    this.#mending.then(work, () => {
      this.#mending = undefined // without a network; the next difference asks again
    })
  }
}
