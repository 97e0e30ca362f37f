import type { Config } from './config.ts'

/** Allows `perSecond` on average and `burst` at once. Costs two numbers per bucket and no timer. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

export class Bucket {
  #left: number
  #at: number

  constructor(rate: Rate, now: number) {
    this.#left = rate.burst
    this.#at = now
  }

  /** False when it is empty. `now` in milliseconds of a clock that never goes back. */
  take(rate: Rate, now: number, count = 1): boolean {
    this.#left = Math.min(rate.burst, this.#left + ((now - this.#at) / 1000) * rate.perSecond)
    this.#at = now
    if (this.#left < count) return false
    this.#left -= count
    return true
  }

  isFull(rate: Rate, now: number): boolean {
    return this.#left + ((now - this.#at) / 1000) * rate.perSecond >= rate.burst
  }
}

/** A bucket for each key that was used lately. */
export class Buckets {
  readonly #rate: Rate
  readonly #buckets = new Map<string, Bucket>()

  constructor(rate: Rate) {
    this.#rate = rate
  }

  take(key: string, now: number): boolean {
    let bucket = this.#buckets.get(key)
    if (!bucket) {
      bucket = new Bucket(this.#rate, now)
      this.#buckets.set(key, bucket)
    }
    return bucket.take(this.#rate, now)
  }

  /** Forgets the buckets that are full again, which are as good as new ones. */
  sweep(now: number): void {
    for (const [key, bucket] of this.#buckets) {
      if (bucket.isFull(this.#rate, now)) this.#buckets.delete(key)
    }
  }
}

/** How many of something each key has at the moment. */
export class Counts {
  readonly #counts = new Map<string, number>()

  of(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  add(key: string): void {
    this.#counts.set(key, this.of(key) + 1)
  }

  remove(key: string): void {
    const left = this.of(key) - 1
    if (left > 0) this.#counts.set(key, left)
    else this.#counts.delete(key)
  }
}

export interface Limits {
  readonly framesOfConnection: Rate
  readonly framesOfSession: Rate
  readonly connectionsOfAddress: Rate
  readonly openOfAddress: number
  readonly open: number
  readonly helloMs: number
  readonly bufferedBytes: number
}

/** What an operator may set, and what suits everybody. */
export function limitsOf(config: LimitConfig): Limits {
  const { maxConnections, maxConnectionsPerAddress, newConnectionsPerSecond } = config
  return {
    framesOfConnection: { perSecond: 200, burst: 400 },
    framesOfSession: { perSecond: 1000, burst: 2000 },
    connectionsOfAddress: { perSecond: newConnectionsPerSecond, burst: newConnectionsPerSecond * 10 },
    openOfAddress: maxConnectionsPerAddress,
    open: maxConnections,
    helloMs: 5000,
    bufferedBytes: 1 << 20,
  }
}

type LimitConfig = Pick<Config, 'maxConnections' | 'maxConnectionsPerAddress' | 'newConnectionsPerSecond'>
