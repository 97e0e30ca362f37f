import type { Bus, Subscriber } from '../../relay/bus/bus.ts'
import type { Store } from '../../relay/store/store.ts'
import type { SessionId } from '../../shared/id.ts'
import type { ConnectionId } from '../../shared/wire.ts'
import type { Life, VirtualClock } from './virtual-clock.ts'
import { type Latency, Pipe } from './virtual-network.ts'
import type { VirtualRegion } from './virtual-region.ts'

/** Both directions between a relay and something of its region; each can be cut alone. */
class Way {
  readonly up: Pipe
  readonly down: Pipe
  /** Nothing more arrives of what a dead relay had sent. */
  over = false

  constructor(clock: VirtualClock, latency: Latency, relay: Life, region: Life) {
    this.up = new Pipe(clock, latency, () => region)
    this.down = new Pipe(clock, latency, () => relay)
  }

  send(work: () => void): void {
    this.up.send(0, () => {
      if (!this.over) work()
    })
  }

  ask<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    return new Promise((resolve) => {
      this.send(() => void work().then((answer) => this.down.send(0, () => resolve(answer))))
    })
  }
}

/** How one relay process reaches the bus and the store that it shares with others. */
export class FarRegion {
  readonly bus: Bus
  readonly store: Store
  readonly ways: readonly Way[]
  readonly #clock: VirtualClock
  readonly #region: VirtualRegion
  readonly #toBus: Way
  readonly #shared: Bus
  readonly #joined = new Map<ConnectionId, SessionId>()
  readonly #stops = new Set<() => void>()

  constructor(clock: VirtualClock, latency: Latency, relay: Life, region: VirtualRegion) {
    const { bus, store } = region.start()
    const toStore = new Way(clock, latency, relay, region.life)
    this.#shared = bus
    this.#clock = clock
    this.#region = region
    this.#toBus = new Way(clock, latency, relay, region.life)
    this.ways = [this.#toBus, toStore]
    this.bus = this.#busBehind(bus)
    this.store = {
      origin: store.origin,
      append: (...all) => toStore.ask(() => store.append(...all)),
      since: (...all) => toStore.ask(() => store.since(...all)),
      putSnapshot: (...all) => toStore.ask(() => store.putSnapshot(...all)),
      head: (...all) => toStore.ask(() => store.head(...all)),
      deposit: (...all) => toStore.ask(() => store.deposit(...all)),
      release: (...all) => toStore.ask(() => store.release(...all)),
      delete: (...all) => toStore.ask(() => store.delete(...all)),
      check: () => toStore.ask(() => store.check()),
      close: async () => {},
    }
  }

  /** The region notices that this relay has died. */
  gone(): void {
    for (const way of this.ways) way.over = true
    for (const stop of this.#stops) stop()
    for (const [connection, session] of this.#joined) this.#shared.leave(session, connection)
  }

  #busBehind(bus: Bus): Bus {
    const send = (work: () => void) => this.#toBus.send(work)
    return {
      // Whoever subscribes waits until the bus knows, before anything is read: as if that took no time.
      subscribe: (session, subscriber) => {
        const subscribe = () => bus.subscribe(session, this.#delayed(subscriber))
        const stop = this.#clock.within(this.#region.life, subscribe)
        this.#stops.add(stop)
        return () => {
          this.#stops.delete(stop)
          stop()
        }
      },
      append: (...all) => this.#toBus.ask(() => bus.append(...all)),
      release: (...all) => this.#toBus.ask(() => bus.release(...all)),
      delete: (...all) => this.#toBus.ask(() => bus.delete(...all)),
      signal: (...all) => send(() => bus.signal(...all)),
      join: (session, connection) =>
        send(() => {
          this.#joined.set(connection, session)
          bus.join(session, connection)
        }),
      leave: (session, connection) =>
        send(() => {
          this.#joined.delete(connection)
          bus.leave(session, connection)
        }),
      present: (session) => bus.present(session),
      doubt: (session) => send(() => bus.doubt(session)),
      settled: async () => {},
      close: () => {},
    }
  }

  #delayed(subscriber: Subscriber): Subscriber {
    const { down } = this.#toBus
    return {
      entry: (...all) => down.send(0, () => subscriber.entry(...all)),
      signal: (...all) => down.send(0, () => subscriber.signal(...all)),
      joined: (...all) => down.send(0, () => subscriber.joined(...all)),
      left: (...all) => down.send(0, () => subscriber.left(...all)),
      savedElsewhere: (...all) => down.send(0, () => subscriber.savedElsewhere(...all)),
      saved: (...all) => down.send(0, () => subscriber.saved(...all)),
      log: (...all) => down.send(0, () => subscriber.log(...all)),
      deleted: () => down.send(0, () => subscriber.deleted()),
    }
  }
}
