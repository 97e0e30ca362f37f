import type { PlainSocket } from '../../client/link/plain-socket.ts'
import type { Chance } from '../../shared/testing.ts'
import type { Life, VirtualClock } from './virtual-clock.ts'

/** How long a frame takes, in milliseconds. */
export type Latency = () => number

/** One direction of a wire: what goes in comes out later, in the same order. */
export class Pipe implements Gate {
  readonly #clock: VirtualClock
  readonly #latency: Latency
  readonly #receiver: () => Life
  #lastArrival = 0
  #stalled: (() => void)[] | undefined
  waiting = 0

  constructor(clock: VirtualClock, latency: Latency, receiver: () => Life) {
    this.#clock = clock
    this.#latency = latency
    this.#receiver = receiver
  }

  send(size: number, arrive: () => void): void {
    this.waiting += size
    const arrived = () => {
      this.waiting -= size
      arrive()
    }
    if (this.#stalled) this.#stalled.push(arrived)
    else this.#carry(arrived)
  }

  /** Nothing more gets through for now; as TCP does, it tries until it works again. */
  stall(): void {
    this.#stalled ??= []
  }

  flow(): void {
    const late = this.#stalled ?? []
    this.#stalled = undefined
    for (const arrived of late) this.#carry(arrived)
  }

  #carry(arrived: () => void): void {
    const at = Math.max(this.#lastArrival, this.#clock.now + this.#latency())
    this.#lastArrival = at
    this.#clock.after(at - this.#clock.now, arrived, this.#receiver())
  }
}

/** One direction, which may let nothing through for a while. */
export interface Gate {
  stall(): void
  flow(): void
}

/** What is between a device and the relays. */
export interface Line {
  readonly up: Gate
  readonly down: Gate
  /** It is over, and carries nothing more. */
  readonly dead: boolean
  /** What is on the way is lost. Each end notices after so many milliseconds; a device never, when that is undefined. */
  drop(device: number | undefined, relay: number): void
  /** The device is gone without a word. */
  lose(): void
}

/** What the far end does with a wire. */
export interface Far {
  readonly life: Life
  accept(wire: Wire): void
}

/** What is at the relay's end of a wire. */
export interface FarEnd {
  receive(frame: Uint8Array): void
  pong(): void
  goAway(retryAfter: number): void
  gone(): void
}

/** One connection between a device and a relay, and the device's socket. */
export class Wire implements PlainSocket, Line {
  binaryType = ''
  readyState = 0
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number; reason: string }) => void) | null = null
  onerror: ((event: unknown) => void) | null = null
  readonly url: string
  readonly up: Pipe
  readonly down: Pipe
  readonly far: Far
  end: FarEnd | undefined
  /** Neither side hears anything of the other any more. */
  dead = false
  readonly #clock: VirtualClock
  readonly #device: Life
  readonly #trace: (what: string, frame: Uint8Array) => void

  constructor(
    url: string,
    clock: VirtualClock,
    latency: Latency,
    device: Life,
    far: Far,
    trace: (what: string, frame: Uint8Array) => void,
  ) {
    this.url = url
    this.far = far
    this.#clock = clock
    this.#device = device
    this.#trace = trace
    this.up = new Pipe(clock, latency, () => far.life)
    this.down = new Pipe(clock, latency, () => device)
    this.up.send(0, () => this.#unlessDead(() => far.accept(this)))
  }

  /** From the device. */
  send(bytes: Uint8Array): void {
    const frame = new Uint8Array(bytes)
    this.up.send(frame.length, () =>
      this.#unlessDead(() => {
        this.#trace('up', frame)
        this.end?.receive(frame)
      }),
    )
  }

  close(): void {
    if (this.readyState >= 2) return
    this.readyState = 2
    this.up.send(0, () => this.#unlessDead(() => this.reset()))
  }

  /** From the relay. */
  deliver(bytes: Uint8Array): void {
    const frame = new Uint8Array(bytes)
    this.down.send(frame.length, () =>
      this.#unlessDead(() => {
        this.#trace('down', frame)
        this.onmessage?.({ data: frame.buffer })
      }),
    )
  }

  open(): void {
    this.down.send(0, () =>
      this.#unlessDead(() => {
        if (this.readyState === 0) this.readyState = 1
        this.onopen?.()
      }),
    )
  }

  ping(): void {
    this.down.send(0, () =>
      this.#unlessDead(() => this.up.send(0, () => this.#unlessDead(() => this.end?.pong()))),
    )
  }

  /** The relay closes: after what it sent before. */
  closeByRelay(code: number, reason: string): void {
    this.down.send(0, () => this.#unlessDead(() => this.tellDevice(code, reason)))
  }

  /** From now on everything on the way is lost. */
  reset(): void {
    this.dead = true
    this.end?.gone()
    this.end = undefined
  }

  /** The far end is gone, and the device notices it, as soon as it is awake. */
  break(): void {
    this.reset()
    this.#clock.after(0, () => this.tellDevice(), this.#device)
  }

  drop(device: number | undefined, relay: number): void {
    const { end } = this
    this.dead = true
    if (device !== undefined) this.#clock.after(device, () => this.tellDevice(), this.#device)
    this.#clock.after(relay, () => end?.gone(), this.far.life)
  }

  lose(): void {
    this.dead = true
  }

  tellDevice(code = 1006, reason = ''): void {
    if (this.readyState === 3) return
    this.dead = true
    this.readyState = 3
    this.onclose?.({ code, reason })
  }

  #unlessDead(work: () => void): void {
    if (!this.dead) work()
  }
}

/** Mostly quick; now and then a frame takes seconds, and everything behind it waits. */
export function latencyFrom(chance: Chance, calm: () => boolean): Latency {
  return () => {
    if (calm() || chance.happens(0.9)) return 1 + chance.below(40)
    return chance.happens(0.98) ? chance.below(1500) : chance.below(120_000)
  }
}
