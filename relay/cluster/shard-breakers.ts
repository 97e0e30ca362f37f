import { type CircuitBreakerPolicy, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel'
import type { Reporter } from '../operators/report.ts'

/** Stores that did not answer so many questions in a row are not asked for a while: nobody waits for the next time-out in vain. */
const failures = 3
const pauseMs = 1_000

/** One for each shard, as other stores keep the others. */
export class ShardBreakers {
  readonly #report: Reporter
  readonly #breakers = new Map<number, CircuitBreakerPolicy>()
  /** Shards that are not asked now. */
  readonly #silent = new Set<number>()

  constructor(report: Reporter) {
    this.#report = report
  }

  get silent(): number {
    return this.#silent.size
  }

  get silentOnes(): readonly number[] {
    return [...this.#silent]
  }

  /** Rejects with what the question rejects with, or at once. */
  ask<Answer>(shard: number, question: () => Promise<Answer>): Promise<Answer> {
    const breaker = this.#breakers.get(shard) ?? this.#create(shard)
    return breaker.execute(question)
  }

  #create(shard: number): CircuitBreakerPolicy {
    const breaker = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(failures),
      halfOpenAfter: pauseMs,
    })
    breaker.onBreak(() => {
      if (this.#silent.size === 0) this.#report({ event: 'storesSilent' })
      this.#silent.add(shard)
    })
    breaker.onReset(() => {
      if (this.#silent.delete(shard) && this.#silent.size === 0) this.#report({ event: 'storesAnswer' })
    })
    this.#breakers.set(shard, breaker)
    return breaker
  }
}
