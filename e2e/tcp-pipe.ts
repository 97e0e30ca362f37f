import type { Socket } from 'node:net'

/** How a line behaves at the moment. Changes apply to what is read from now on. */
export interface Weather {
  /** Milliseconds that each piece of data takes; it varies by up to `jitter` more or less, and nothing overtakes. */
  latency: number
  jitter: number
  bytesPerSecond: number
  /** Pieces no longer than this arrive one by one. */
  sliceBytes: number
  /** Directions in which everything disappears, as when a router forgot the connection. */
  loses: 'nothing' | 'toRelay' | 'toClient'
  /** Milliseconds until the one end hears that the other has closed. */
  closeDelay: number
}

export const calm: Weather = {
  latency: 0,
  jitter: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  sliceBytes: Number.POSITIVE_INFINITY,
  loses: 'nothing',
  closeDelay: 0,
}

/** What may be on its way before the sender has to wait, as in a kernel's buffers. */
const roomBytes = 262_144

export interface PipeOptions {
  readonly from: Socket
  readonly to: Socket
  readonly direction: 'toRelay' | 'toClient'
  readonly weather: Readonly<Weather>
  readonly passed: (bytes: number) => void
}

/** One direction of a connection. */
export class TcpPipe {
  readonly #options: PipeOptions
  readonly #waiting: { readonly bytes: Buffer; readonly at: number }[] = []
  #waitingBytes = 0
  /** When the last piece is to arrive. */
  #arrival = 0
  #timer: NodeJS.Timeout | undefined
  #ended = false

  constructor(options: PipeOptions) {
    this.#options = options
    const { from, to } = options
    from.on('data', (bytes) => this.#take(bytes))
    from.on('end', () => this.#end())
    from.on('error', () => to.destroy())
    from.on('close', () => {
      if (!this.#ended) to.destroy()
    })
    to.on('drain', () => this.#deliver())
    to.on('close', () => this.stop())
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#waiting.length = 0
  }

  #take(bytes: Buffer): void {
    const { weather, direction, from } = this.#options
    if (weather.loses === direction) return
    const step = Math.min(bytes.length, weather.sliceBytes)
    const delay = Math.max(0, weather.latency + weather.jitter * (2 * Math.random() - 1))
    let at = Math.max(this.#arrival, performance.now() + delay)
    for (let start = 0; start < bytes.length; start += step) {
      const piece = bytes.subarray(start, start + step)
      at += (piece.length * 1000) / weather.bytesPerSecond
      this.#waiting.push({ bytes: piece, at })
    }
    this.#arrival = at
    this.#waitingBytes += bytes.length
    if (this.#waitingBytes > roomBytes) from.pause()
    this.#deliver()
  }

  #deliver(): void {
    const { from, to, passed } = this.#options
    clearTimeout(this.#timer)
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      if (to.destroyed || to.writableNeedDrain) return
      const wait = next.at - performance.now()
      if (wait > 0.5) {
        this.#timer = setTimeout(() => this.#deliver(), wait)
        return
      }
      this.#waiting.shift()
      this.#waitingBytes -= next.bytes.length
      passed(next.bytes.length)
      to.write(next.bytes)
    }
    if (this.#ended) {
      this.#timer = setTimeout(() => to.end(), this.#options.weather.closeDelay)
    } else from.resume()
  }

  #end(): void {
    this.#ended = true
    if (this.#waiting.length === 0) this.#deliver()
  }
}
