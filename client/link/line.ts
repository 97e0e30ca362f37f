import {
  decodeFromRelay,
  encodeFromClient,
  type FromClient,
  type FromRelay,
  subprotocol,
} from '../../shared/wire.ts'
import type { PlainSocket } from './plain-socket.ts'

/** A relay that has not let us catch up by then is tried again. */
const patience = 20_000
/** The relay sends something every 20 s, in milliseconds. */
const normalSilence = 25_000
/** Whoever asks for another attempt does not wait longer for the one that is being made, in milliseconds. */
const eager = 2_000
/** So many looks in a row with nothing from the relay, and the connection is dead. */
const silenceAllowed = 8

export interface LineOptions {
  readonly url: string
  readonly connect: (url: string, protocol: string) => PlainSocket
  readonly now: () => number
  readonly receive: (message: FromRelay) => void
  readonly fail: (event: unknown) => void
  /** Not called after `stop`, which is up to whoever is called. */
  readonly end: (code: number, reason: string) => void
}

/** The plain connection beneath one of the link's: speaks the wire's messages with a relay, and notices when it has gone silent. */
export class Line {
  readonly #options: LineOptions
  #plain: PlainSocket | undefined
  /** First until it is dialled, then until it has begun. */
  #waiting: ReturnType<typeof setTimeout>
  #hasBegun = false
  #silence = 0
  /** When the relay sent something or, until it has, was dialled. */
  #heardAt = 0

  /** Dials after so many milliseconds. */
  constructor(options: LineOptions, delay: number) {
    this.#options = options
    this.#waiting = setTimeout(() => this.dial(), delay)
  }

  /** Not a WebSocket, because none opens here. */
  get slow(): boolean {
    return this.#plain?.slow === true
  }

  /** By the clock, since timers stand still while a device sleeps: what has been silent for so long is given up when somebody looks. */
  get isStale(): boolean {
    const silent = this.#options.now() - this.#heardAt
    return this.#plain !== undefined && silent > (this.#hasBegun ? normalSilence : eager)
  }

  dial(): void {
    if (this.#plain) return
    clearTimeout(this.#waiting)
    this.#heardAt = this.#options.now()
    this.#waiting = setTimeout(() => this.#options.end(4508, ''), patience)
    const plain = this.#options.connect(this.#options.url, subprotocol)
    this.#plain = plain
    plain.binaryType = 'arraybuffer'
    plain.onmessage = (event) => {
      if (event.data instanceof ArrayBuffer) this.#receive(new Uint8Array(event.data))
    }
    plain.onerror = (event) => this.#options.fail(event)
    plain.onclose = ({ code, reason }) => this.#options.end(code, reason)
  }

  /** This device has caught up with the log. */
  begin(): void {
    clearTimeout(this.#waiting)
    this.#hasBegun = true
  }

  send(message: FromClient): void {
    if (this.#plain?.readyState === 1) this.#plain.send(encodeFromClient(message) as Uint8Array<ArrayBuffer>)
  }

  /** To be asked every few seconds: by the clock alone a device whose clock was set back would wait for hours. */
  isDead(): boolean {
    return this.#silence++ >= silenceAllowed
  }

  stop(): void {
    clearTimeout(this.#waiting)
    const plain = this.#plain
    if (!plain) return
    plain.onmessage = null
    plain.onclose = null
    plain.onerror = () => {} // closing while still connecting is reported as an error, which is none
    plain.close()
  }

  #receive(frame: Uint8Array): void {
    this.#silence = 0
    this.#heardAt = this.#options.now()
    const message = decodeFromRelay(frame)
    if (message) this.#options.receive(message)
    else this.#options.end(4400, 'The relay sent something this app does not understand.')
  }
}
