import type { Bucket } from './quantile.ts'

/**
 * A histogram as Prometheus has them. prom-client's takes 0.5 µs to observe a value, and every change is observed twice: this
 * one costs a tenth of that.
 */
export class Tally {
  readonly #name: string
  readonly #help: string
  readonly #bounds: readonly number[]
  /** One more than bounds: what is larger than all of them. */
  readonly #counts: number[]
  #sum = 0

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name
    this.#help = help
    this.#bounds = bounds
    this.#counts = [...bounds, Number.POSITIVE_INFINITY].map(() => 0)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    let at = 0
    while (at < bounds.length && value > (bounds[at] ?? 0)) at++
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.#sum += value
  }

  /** Each with all that are smaller, too. */
  get buckets(): Bucket[] {
    let count = 0
    return this.#counts.map((own, at) => {
      count += own
      return { upTo: this.#bounds[at] ?? Number.POSITIVE_INFINITY, count }
    })
  }

  /** In Prometheus's text format. */
  get text(): string {
    const { buckets } = this
    const bound = (upTo: number) => (upTo === Number.POSITIVE_INFINITY ? '+Inf' : upTo)
    return [
      `# HELP ${this.#name} ${this.#help}`,
      `# TYPE ${this.#name} histogram`,
      ...buckets.map(({ upTo, count }) => `${this.#name}_bucket{le="${bound(upTo)}"} ${count}`),
      `${this.#name}_sum ${this.#sum}`,
      `${this.#name}_count ${buckets.at(-1)?.count ?? 0}`,
      '',
    ].join('\n')
  }
}
