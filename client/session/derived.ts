import { createSubscriber } from 'svelte/reactivity'

/** What comes from elsewhere is shown this often at most, in milliseconds: fifty people open their cards at the same time. */
const betweenViews = 50

/** What the view derives from a session, by name: computed when asked for, and valid until something changes. */
export class Derived {
  readonly #subscribe: () => void
  /** Undefined while nobody looks. */
  #changed: (() => void) | undefined
  readonly #valid = new Map<string, unknown>()
  readonly #last = new Map<string, unknown>()
  #isHeld = false
  #showing: ReturnType<typeof setTimeout> | undefined
  #showAgain = false

  constructor() {
    this.#subscribe = createSubscriber((update) => {
      this.#changed = update
      return () => {
        this.#changed = undefined
      }
    })
  }

  /** Reactive: asking in an effect makes it run again after a change. */
  get<Value>(name: string, compute: () => Value): Value {
    this.#subscribe()
    if (!this.#valid.has(name)) {
      if (this.#isHeld && this.#last.has(name)) return this.#last.get(name) as Value
      const value = compute()
      this.#valid.set(name, value)
      this.#last.set(name, value)
    }
    return this.#valid.get(name) as Value
  }

  /** Meanwhile what was derived last stands: deriving it anew would do at once what is being done piece by piece. */
  async holdDuring(work: () => Promise<void>): Promise<void> {
    this.#isHeld = true
    try {
      await work()
    } finally {
      this.#isHeld = false
    }
  }

  /** Something the view shows may be different. */
  show(): void {
    this.#valid.clear()
    this.#showAgain = false
    this.#changed?.()
  }

  /** As `show`; when much happens, it is shown together. */
  showSoon(): void {
    this.#valid.clear()
    this.#showAgain = true
    if (this.#showing || !this.#changed) return
    this.show()
    this.#showing = setTimeout(() => {
      this.#showing = undefined
      if (this.#showAgain) this.showSoon()
    }, betweenViews)
  }

  stop(): void {
    clearTimeout(this.#showing)
  }
}
