import type { Config } from '../settings/config.ts'

/** Allows `perSecond` on average and `burst` at once. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/**
 * Generic cell rate algorithm (ITU-T I.371): a whole bucket is one number, the moment at which everything spent so far
 * would be earned again. Returns the new moment; undefined when `now`, in milliseconds, it would be too far away.
 */
export function spend(earnedAt: number, rate: Rate, now: number): number | undefined {
  const next = Math.max(earnedAt, now) + 1000 / rate.perSecond
  return next - now > (rate.burst * 1000) / rate.perSecond ? undefined : next
}

/** What one address has opened. */
export interface Address {
  open: number
  earnedAt: number
}

export class Addresses {
  readonly #addresses = new Map<string, Address>()

  get(name: string): Address {
    const known = this.#addresses.get(name)
    if (known) return known
    const address = { open: 0, earnedAt: 0 }
    this.#addresses.set(name, address)
    return address
  }

  /** Forgets those that are as good as new. */
  sweep(now: number): void {
    for (const [name, { open, earnedAt }] of this.#addresses) {
      if (open === 0 && earnedAt <= now) this.#addresses.delete(name)
    }
  }
}

export interface Limits {
  readonly framesOfConnection: Rate
  readonly framesOfSession: Rate
  /** Bytes that are passed on, to each connection anew, with `writeCost` for each. */
  readonly bytesOfSession: Rate
  readonly connectionsOfAddress: Rate
  readonly openOfAddress: number
  readonly open: number
  readonly helloMs: number
  /** An HTTP connection on which nothing moves for so long is cut: nobody reads what is on its way. */
  readonly idleMs: number
  /** A relay that others stand in for still serves newcomers for so long after it was told to stop: balancers ask every so often. */
  readonly handOverMs: number
  /** What may wait for one client that does not read, and for all of them together; as much again may come of what is not whole. */
  readonly bufferedBytes: number
  readonly bufferedInAll: number
}

/** Writing a small frame takes as long as copying so many bytes more. */
export const writeCost = 1024
/** With more than that waiting a client counts as slow. */
export const slowBytes = 65_536

/** What an operator may set, and what suits everybody. */
export function limitsOf(config: LimitConfig): Limits {
  const { maxConnections, maxConnectionsPerAddress, newConnectionsPerSecond } = config
  return {
    framesOfConnection: { perSecond: 200, burst: 400 },
    framesOfSession: { perSecond: 1000, burst: 2000 },
    bytesOfSession: { perSecond: 8 << 20, burst: 16 << 20 },
    connectionsOfAddress: { perSecond: newConnectionsPerSecond, burst: newConnectionsPerSecond * 10 },
    openOfAddress: maxConnectionsPerAddress,
    open: maxConnections,
    helloMs: 5000,
    idleMs: 60_000,
    handOverMs: 1500,
    bufferedBytes: 1 << 20,
    bufferedInAll: 128 << 20,
  }
}

type LimitConfig = Pick<Config, 'maxConnections' | 'maxConnectionsPerAddress' | 'newConnectionsPerSecond'>
