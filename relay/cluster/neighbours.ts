import type { NatsConnection } from '@nats-io/transport-node'
import type { ProcessSeen } from '../../shared/status.ts'
import { parseProcess } from './process.ts'
import { goneFrom, toldEveryMs, toldTo } from './services.ts'

/** Whoever has not said anything for so long has died, hangs or is cut off. */
const silentMs = 3 * toldEveryMs + 1_000
/** As long as a status page looks back. */
const rememberedMs = 3_600_000
/** Whatever else somebody may say in our NATS. */
const most = 1_000

/** Since when one is silent is told in time that passed: a clock that is set makes nobody silent, nor one that died speak. */
interface Seen extends Omit<ProcessSeen, 'isHeard' | 'heardAt'> {
  readonly heard: number
}

/** The relays and stores of every region that can be reached, and of those that lately could be. */
export class Neighbours {
  readonly #seen = new Map<string, Seen>()
  /** The services of this very process. */
  readonly #own = new Set<string>()
  readonly #stop: () => void

  constructor(connection: NatsConnection) {
    const subscriptions = [
      connection.subscribe(toldTo, { callback: (_, message) => void this.#hear(message.string()) }),
      connection.subscribe(goneFrom, { callback: (_, message) => void this.#seen.delete(message.string()) }),
    ]
    this.#stop = () => {
      for (const subscription of subscriptions) subscription.unsubscribe()
    }
  }

  /** What this process says itself. */
  readonly told = (state: string): void => {
    const id = this.#hear(state)
    if (id) this.#own.add(id)
  }

  get all(): ProcessSeen[] {
    const now = performance.now()
    for (const [id, { heard }] of this.#seen) if (heard < now - rememberedMs) this.#seen.delete(id)
    return [...this.#seen].map(([id, { heard, ...seen }]) => ({
      ...seen,
      heardAt: Math.round(Date.now() - (now - heard)),
      isHere: this.#own.has(id),
      isHeard: heard > now - silentMs,
    }))
  }

  stop(): void {
    this.#stop()
  }

  #hear(state: string): string | undefined {
    const process = parseProcess(state)
    if (!process || (this.#seen.size >= most && !this.#seen.has(process.id))) return undefined
    const { id, kind, region, version, since, shards, now } = process
    this.#seen.set(id, {
      kind: kind === 'store' ? 'store' : 'relay',
      region,
      version,
      startedAt: Date.parse(since),
      heard: performance.now(),
      isHere: false,
      isReady: now.ready === true,
      shards,
      connections: typeof now.connections === 'number' ? now.connections : null,
      behind: figuresIn(now.behind),
    })
    return id
  }
}

function figuresIn(behind: unknown): Record<string, number> {
  if (typeof behind !== 'object' || behind === null) return {}
  return Object.fromEntries(Object.entries(behind).map(([region, messages]) => [region, Number(messages)]))
}
