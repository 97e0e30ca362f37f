import { Connection, type Outlet, type Surroundings } from '../../relay/connections/connection.ts'
import { limitsOf } from '../../relay/connections/limits.ts'
import { Rooms } from '../../relay/rooms/rooms.ts'
import { archiveOf } from '../../relay/store/store.ts'
import type { SessionId } from '../../shared/id.ts'
import type { Chance } from '../../shared/testing.ts'
import { FarRegion } from './far-region.ts'
import { Liar } from './liar.ts'
import { type Life, lifeOf, type VirtualClock } from './virtual-clock.ts'
import type { Far, Latency, Wire } from './virtual-network.ts'
import { VirtualPolls } from './virtual-polls.ts'
import type { VirtualRegion } from './virtual-region.ts'
import type { Answering, Call } from './virtual-requests.ts'

/** What `connections.ts` and `socket.ts` do for real ones. */
const turnEvery = 20_000
const silence = { pingedAt: 2, endedAt: 4 } as const

const limits = limitsOf({ maxConnections: 100, maxConnectionsPerAddress: 100, newConnectionsPerSecond: 100 })

export interface RelayOptions {
  readonly clock: VirtualClock
  readonly chance: Chance
  readonly name: string
  readonly region: VirtualRegion
  /** Of the way to a region that other relays share; undefined for a relay with bus and store in its own process. */
  readonly latency: Latency | undefined
  readonly isKept: (envelope: Uint8Array) => boolean
}

/** One relay process: the real core between a virtual network and its region. */
export class VirtualRelay implements Far, Answering {
  readonly liar: Liar
  readonly #options: RelayOptions
  readonly #wires = new Set<Wire>()
  readonly #calls = new Set<Call>()
  #life: Life
  #running:
    | {
        readonly region: FarRegion | undefined
        readonly surroundings: Surroundings
        readonly polls: VirtualPolls
      }
    | undefined

  constructor(options: RelayOptions) {
    this.#options = options
    this.liar = new Liar(options.chance, options.clock, options.isKept)
    this.#life = { ...lifeOf(options.name), over: true }
  }

  get life(): Life {
    return this.#life
  }

  /** What can be cut between this relay and its region. */
  get ways(): FarRegion['ways'] {
    return this.#running?.region?.ways ?? []
  }

  /** The process is stopped for a while; a machine of its own stands still with the store that is in it. */
  standStill(until: number): void {
    const lives = this.#running?.region ? [this.#life] : [this.#life, this.#options.region.life]
    for (const life of lives) life.asleepUntil = Math.max(life.asleepUntil, until)
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  async start(): Promise<void> {
    const { name, clock, chance, region, latency } = this.#options
    this.#life = lifeOf(name)
    await clock.act(this.#life, () => {
      const far = latency && new FarRegion(clock, latency, this.#life, region)
      const { bus, store } = far ?? region.start()
      const surroundings: Surroundings = {
        rooms: new Rooms(bus, archiveOf(store)),
        limits,
        now: () => clock.now,
        random: (bytes) => chance.bytes(bytes),
        refused: () => {},
        caughtUp: () => {},
      }
      const polls = new VirtualPolls(clock, surroundings, this.liar)
      this.#running = { region: far, surroundings, polls }
    })
  }

  /** Everything in memory is gone. Devices notice at once, or only by silence when the whole machine has died. */
  crash(silently: boolean): void {
    const { clock, chance, region } = this.#options
    const far = this.#running?.region
    this.#running = undefined
    this.#life.over = true
    if (far) clock.after(chance.below(10_000), () => far.gone(), region.life)
    else region.crash()
    for (const wire of this.#wires) {
      if (silently) wire.reset()
      else wire.break()
    }
    this.#wires.clear()
    for (const call of this.#calls) call.reset(silently)
    this.#calls.clear()
    this.liar.forget()
  }

  /** As when its operator updates it: clients are told, what was sent is committed. */
  async stop(): Promise<void> {
    const { clock, chance } = this.#options
    const polls = this.#running?.polls
    if (!polls) return
    const retryAfter = () => chance.below(200)
    await clock.act(this.#life, () => {
      for (const wire of this.#wires) wire.end?.goAway(retryAfter())
      polls.goAway(retryAfter)
    })
    await clock.pass(500)
    await clock.act(this.#life, () => {
      for (const wire of this.#wires) wire.closeByRelay(1012, 'The relay restarts.')
      polls.close()
    })
    await clock.pass(500)
    this.crash(false)
  }

  expect(call: Call): () => void {
    this.#calls.add(call)
    return () => this.#calls.delete(call)
  }

  answer(call: Call): void {
    void this.#running?.polls.answer(call.request).then((answer) => call.answer(answer))
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
      hold: () => {}, // nobody here sends that much
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
    let silentTurns = 0
    const hello = clock.after(limits.helloMs, () => {
      if (connection.phase === 'greeting') connection.close('lateHello')
    })
    const turns = clock.after(
      turnEvery,
      () => {
        silentTurns += 1
        if (silentTurns >= silence.endedAt) return wire.reset()
        if (silentTurns >= silence.pingedAt) wire.ping()
        connection.keepAlive()
      },
      undefined,
      turnEvery,
    )
    wire.end = {
      receive: (frame) => {
        silentTurns = 0
        connection.receive(frame)
      },
      pong: () => {
        silentTurns = 0
      },
      goAway: (retryAfter) => connection.goAway(retryAfter),
      gone: () => {
        hello.ended = true
        turns.ended = true
        connection.gone()
        this.#wires.delete(wire)
      },
    }
  }
}
