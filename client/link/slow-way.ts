import { PollingSocket } from './polling-socket.ts'
import { tryNextRegion } from './regions.ts'
import type { Ways } from './ways.ts'

/** Where no WebSocket opens: undefined when another region is to be tried first. */
export function otherWay(mayMove: boolean): typeof SlowWay | undefined {
  return mayMove && navigator.onLine && tryNextRegion() ? undefined : SlowWay
}

/** Of all checks but the first, which is at once: spread, so that not all devices come at the same time. */
const later = () => 30_000 + Math.random() * 60_000

/**
 * A connection over plain requests that ends when WebSockets turn out to work after all. The relay may just have been away,
 * or have had too many visitors, when none opened: so one is tried beside the requests that work, and once more later
 * before the device takes it for the network's way.
 */
export class SlowWay extends PollingSocket {
  readonly #url: string
  readonly #protocol: string
  readonly #ways: Ways
  #next: ReturnType<typeof setTimeout> | undefined
  #failures = 0

  constructor(url: string, protocol: string, ways: Ways, fetcher?: typeof fetch) {
    super(url, fetcher)
    this.#url = url
    this.#protocol = protocol
    this.#ways = ways
    this.onopen = () => {
      ways.blocked()
      this.#checkIn(this.#untilForgotten ?? Math.random() * 1000)
    }
  }

  get #untilForgotten(): number | undefined {
    const left = this.#ways.blockedUntil - Date.now()
    return left > 0 ? left : undefined
  }

  #checkIn(wait: number): void {
    this.#next = setTimeout(() => void this.#check(), wait)
  }

  async #check(): Promise<void> {
    const works = await this.#ways.check(this.#url, this.#protocol)
    if (this.readyState !== 1) return
    if (works) return this.close()
    if (++this.#failures > 1) this.#ways.remember()
    this.#checkIn(this.#untilForgotten ?? later())
  }

  protected override ended(): void {
    clearTimeout(this.#next)
  }
}
