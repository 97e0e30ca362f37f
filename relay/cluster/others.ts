import type { Subscription } from '@nats-io/transport-node'
import type { Region } from './region.ts'

const beatMs = 2_000
/** Of a relay that died, everybody leaves after so long without a beat. */
const silentMs = 7_000

/** The other relays of a region: each says every few seconds that it is there. */
export class Others {
  readonly #heard = new Map<string, number>()
  readonly #subscription: Subscription
  readonly #timer: NodeJS.Timeout

  constructor({ connection, name }: Region, self: string, lost: (relay: string) => void) {
    const subject = `beat.${name}`
    this.#subscription = connection.subscribe(subject, {
      callback: (_, message) => void this.heardOf(message.string()),
    })
    this.#timer = setInterval(() => {
      if (!connection.isClosed()) connection.publish(subject, self)
      const silentSince = performance.now() - silentMs
      for (const [relay, heard] of this.#heard) {
        if (heard > silentSince) continue
        this.#heard.delete(relay)
        lost(relay)
      }
    }, beatMs).unref()
  }

  heardOf(relay: string): void {
    this.#heard.set(relay, performance.now())
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#subscription.unsubscribe()
  }
}
