import { LocalBus } from '../../relay/bus/local-bus.ts'
import { type Life, lifeOf, type VirtualClock } from './virtual-clock.ts'
import { SlowStore, type StoreDisk } from './virtual-store.ts'

export interface RegionOptions {
  readonly clock: VirtualClock
  readonly disk: StoreDisk
  /** In milliseconds, once for doing and once for answering. */
  readonly slowness: () => number
  readonly committed: (envelope: Uint8Array) => void
  /** A snapshot took the place of what came before. */
  readonly compacted: () => void
}

/** What the relays of a region share: the real bus and the real store. With one relay only it is a part of that process. */
export class VirtualRegion {
  readonly #options: RegionOptions
  #life: Life = { ...lifeOf('region'), over: true }
  #running: { readonly bus: LocalBus; readonly store: SlowStore } | undefined

  constructor(options: RegionOptions) {
    this.#options = options
  }

  get life(): Life {
    return this.#life
  }

  start(): { readonly bus: LocalBus; readonly store: SlowStore } {
    if (this.#running) return this.#running
    const { clock, disk, slowness, committed, compacted } = this.#options
    this.#life = lifeOf('region')
    const store = new SlowStore(disk, clock, this.#life, slowness, committed, compacted)
    this.#running = { store, bus: new LocalBus(store) }
    return this.#running
  }

  /** What was not committed never will be. */
  crash(): void {
    this.#running = undefined
    this.#life.over = true
  }
}
