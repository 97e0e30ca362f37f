import { Connection, type Outlet, type Surroundings } from '../../relay/connection.ts'
import { limitsOf } from '../../relay/limits.ts'
import { LocalBus } from '../../relay/local-bus.ts'
import { Rooms } from '../../relay/rooms.ts'
import type { SessionId } from '../../shared/id.ts'
import type { Chance } from '../../shared/testing.ts'
import { Liar } from './liar.ts'
import type { Life, VirtualClock } from './virtual-clock.ts'
import type { Far, Wire } from './virtual-network.ts'
import { SlowStore, type StoreDisk } from './virtual-store.ts'

/** What `sockets.ts` does for real ones. */
const pingEvery = 20_000
const missedPongsAllowed = 2

const limits = limitsOf({ maxConnections: 100, maxConnectionsPerAddress: 100, newConnectionsPerSecond: 100 })

export interface RelayOptions {
  readonly clock: VirtualClock
  readonly chance: Chance
  readonly disk: StoreDisk
  /** In milliseconds, once for doing and once for answering. */
  readonly slowness: () => number
  readonly committed: (envelope: Uint8Array) => void
  /** A snapshot took the place of what came before. */
  readonly compacted: () => void
  readonly isKept: (envelope: Uint8Array) => boolean
}

/** One relay process: the real core between a virtual network and a virtual disk. */
export class VirtualRelay implements Far {
  readonly liar: Liar
  readonly #options: RelayOptions
  readonly #wires = new Set<Wire>()
  #life: Life
  #running: { readonly bus: LocalBus; readonly surroundings: Surroundings } | undefined

  constructor(options: RelayOptions) {
    this.#options = options
    this.liar = new Liar(options.chance, options.clock, options.isKept)
    this.#life = { name: 'relay', skew: 0, over: true }
  }

  get life(): Life {
    return this.#life
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  async start(): Promise<void> {
    const { clock, chance, disk, slowness, committed, compacted } = this.#options
    this.#life = { name: 'relay', skew: 0, over: false }
    await clock.act(this.#life, () => {
      const store = new SlowStore(disk, clock, slowness, committed, compacted)
      const bus = new LocalBus(store)
      const surroundings: Surroundings = {
        rooms: new Rooms(bus, store),
        limits,
        now: () => clock.now,
        random: (bytes) => chance.bytes(bytes),
        refused: () => {},
      }
      this.#running = { bus, surroundings }
    })
  }

  /** Everything in memory is gone. Devices notice at once, or only by silence when the whole machine has died. */
  crash(silently: boolean): void {
    this.#running = undefined
    this.#life.over = true
    for (const wire of this.#wires) {
      wire.reset()
      if (!silently) wire.tellDevice()
    }
    this.#wires.clear()
    this.liar.forget()
  }

  /** As when its operator updates it: clients are told, what was sent is committed. */
  async stop(): Promise<void> {
    const running = this.#running
    if (!running) return
    await this.#options.clock.act(this.#life, () => {
      for (const wire of this.#wires) wire.end?.goAway(this.#options.chance.below(200))
      running.bus.close()
    })
    await this.#options.clock.pass(500)
    for (const wire of this.#wires) wire.closeByRelay(1012, 'The relay restarts.')
    await this.#options.clock.pass(500)
    this.crash(false)
  }

  accept(wire: Wire): void {
    if (!this.#running) return
    const { clock } = this.#options
    const outlet: Outlet = {
      send: (frame) => this.liar.pass(frame, (passed) => wire.deliver(passed)),
      flush: async () => {},
      get bufferedAmount() {
        return wire.down.waiting
      },
      close: (code, words) => wire.closeByRelay(code, words),
    }
    this.#wires.add(wire)
    wire.open()
    const session = wire.url.split('/').at(-1) as SessionId
    const connection = new Connection(
      session,
      new URL(wire.url).origin.replace(/^ws/, 'http'),
      outlet,
      this.#running.surroundings,
    )
    let missedPongs = 0
    const hello = clock.after(limits.helloMs, () => {
      if (connection.phase === 'greeting') connection.close('lateHello')
    })
    const pinging = clock.after(
      pingEvery,
      () => {
        if (missedPongs++ >= missedPongsAllowed) return wire.reset()
        wire.ping()
        connection.keepAlive()
      },
      undefined,
      pingEvery,
    )
    wire.end = {
      receive: (frame) => {
        missedPongs = 0
        connection.receive(frame)
      },
      pong: () => {
        missedPongs = 0
      },
      goAway: (retryAfter) => connection.goAway(retryAfter),
      gone: () => {
        hello.ended = true
        pinging.ended = true
        connection.gone()
        this.#wires.delete(wire)
      },
    }
  }
}
