import type { Subscription } from '@nats-io/transport-node'
import type { Region } from './region.ts'

const beatMs = 2_000
/** Of a relay that died or was cut off, everybody leaves after so long without a beat. */
const silentMs = 7_000
/** Of those that fell silent. Most never come back: a relay that starts again has another name. */
const mostRemembered = 1_000
const subject = 'beat'

interface Events {
  /** `isBack`: it was lost here before, which it may know nothing of. */
  found(isBack: boolean): void
  lost(relay: string): void
}

/** The other relays, in every region that can be reached: each says every few seconds that it is there. */
export class Others {
  readonly #heard = new Map<string, number>()
  readonly #silent = new Set<string>()
  readonly #events: Events
  readonly #subscription: Subscription
  readonly #timer: NodeJS.Timeout

  constructor({ connection }: Region, self: string, events: Events) {
    this.#events = events
    this.#subscription = connection.subscribe(subject, {
      callback: (_, message) => void this.heardOf(message.string()),
    })
    this.#timer = setInterval(() => {
      if (!connection.isClosed()) connection.publish(subject, self)
      const silentSince = performance.now() - silentMs
      for (const [relay, heard] of this.#heard) {
        if (heard > silentSince) continue
        this.#heard.delete(relay)
        if (this.#silent.size >= mostRemembered) this.#silent.clear()
        this.#silent.add(relay)
        events.lost(relay)
      }
    }, beatMs).unref()
  }

  get areNone(): boolean {
    return this.#heard.size === 0
  }

  heardOf(relay: string): void {
    const isNew = !this.#heard.has(relay)
    this.#heard.set(relay, performance.now())
    if (isNew) this.#events.found(this.#silent.delete(relay))
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#subscription.unsubscribe()
  }
}
