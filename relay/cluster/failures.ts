import type { Reporter } from '../operators/report.ts'

/** What goes wrong and is tried again, by what it goes wrong with: each is said once, until that is well. */
export class Failures {
  readonly #report: Reporter
  /** Nothing is said once this is aborted. */
  readonly #signal: AbortSignal
  readonly #said = new Map<string, Set<string>>()

  constructor(report: Reporter, signal: AbortSignal) {
    this.#report = report
    this.#signal = signal
  }

  get areAny(): boolean {
    return this.#said.size > 0
  }

  /** However often it is said of this. */
  sayOnce(what: string, error: unknown): void {
    const said = this.#said.get(what) ?? new Set()
    this.#said.set(what, said)
    if (!said.has(String(error))) this.say(error)
    said.add(String(error))
  }

  say(error: unknown): void {
    if (!this.#signal.aborted) this.#report({ event: 'failed', error: String(error) })
  }

  noteWell(what: string): void {
    this.#said.delete(what)
  }
}
