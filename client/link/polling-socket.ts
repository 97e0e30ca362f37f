import {
  contentType,
  encodePoll,
  FrameReader,
  type Last,
  type Poll,
  pieceBytes,
  putFrames,
  tokenBytes,
} from '../../shared/polling.ts'
import { decodeFromRelay, frameLimits } from '../../shared/wire.ts'
import type { PlainSocket } from './plain-socket.ts'

/** Waits between attempts, in milliseconds. All in all less than a relay waits for whoever was cut. */
const retryAfter = [250, 500, 1000, 2000]
/**
 * A request up whose connection died on the way is never answered, while what comes down goes on beside it. One that is alive takes no
 * longer than this and a millisecond a byte: relays hold an answer back for ten seconds at most.
 */
const answeredWithinMs = 20_000
/** What was sent before it is closed has so long to get to the relay. */
const closesWithinMs = 30_000
/** A browser lets requests outlive their page that have no more than 64 KiB. */
const outlivingBytes = 60_000

type Asked = Uint8Array | 'gone'

/** Looks like a WebSocket and is a row of plain requests: one always waits for what comes down, others carry up. */
export class PollingSocket implements PlainSocket {
  binaryType = 'arraybuffer'
  readyState = 0
  readonly slow = true
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number; reason: string }) => void) | null = null
  onerror: ((event: unknown) => void) | null = null
  readonly #url: string
  readonly #fetch: typeof fetch
  readonly #abort = new AbortController()
  readonly #reader = new FrameReader()
  #token = new Uint8Array(tokenBytes)
  /** Bytes of the stream that arrived here. */
  #received = 0
  #waiting: Uint8Array[] = []
  /** The stream to the relay, from `#sent` on and up to what waits. */
  #stream = new Uint8Array()
  #sent = 0
  #isSending = false
  #isLeaving = false
  #closing: ReturnType<typeof setTimeout> | undefined
  readonly #goWithPage = () => {
    if (!this.#isSending) return this.close()
    this.#gather()
    this.#leave({ offset: this.#sent, piece: this.#stream.subarray(0, outlivingBytes) })
  }

  /** `url` is the one of the WebSocket. */
  constructor(url: string, fetcher: typeof fetch = (...asked) => fetch(...asked)) {
    this.#url = url.replace(/^ws/, 'http')
    this.#fetch = fetcher
    globalThis.addEventListener?.('pagehide', this.#goWithPage)
    void this.#open()
  }

  send(frame: Uint8Array): void {
    if (this.readyState !== 1) return
    this.#waiting.push(frame.slice())
    if (!this.#isSending) void this.#carryUp()
  }

  /** As with a WebSocket, what was sent before still goes up. */
  close(): void {
    if (this.readyState === 0) return this.#end(1000, '')
    if (this.readyState !== 1) return
    this.readyState = 2
    if (!this.#isSending) return this.#leave()
    this.#closing = setTimeout(() => this.#leave(), closesWithinMs)
  }

  #leave(last?: Last): void {
    const body = encodePoll({ type: 'leave', token: this.#token, last })
    // Nobody waits for the answer; without it the relay finds out by itself.
    this.#post(body, { keepalive: true }).catch(() => {})
    this.#end(1000, '')
  }

  async #open(): Promise<void> {
    const answer = await this.#ask({ type: 'open' }, [])
    if (answer === 'gone' || answer.length < tokenBytes) return this.#end(1006, '')
    if (this.readyState !== 0) return
    this.#token = answer.slice(0, tokenBytes)
    this.readyState = 1
    this.onopen?.()
    this.#take(answer.subarray(tokenBytes))
    while (this.readyState === 1) {
      const piece = await this.#ask({ type: 'down', token: this.#token, offset: this.#received })
      if (piece === 'gone') return this.#end(1006, '')
      this.#take(piece)
    }
  }

  #take(piece: Uint8Array): void {
    this.#received += piece.length
    this.#reader.push(piece)
    while (this.readyState === 1) {
      const frame = this.#reader.next(2 * frameLimits.snapshot)
      if (frame === undefined) return
      if (frame === 'tooLarge') return this.#end(1006, '')
      const message = decodeFromRelay(frame)
      if (message?.type === 'goingAway') this.#isLeaving = true
      this.onmessage?.({ data: frame.buffer })
      // Why it ends is the last thing a relay says.
      if (message?.type === 'refuse') this.#end(message.code, message.words)
    }
  }

  /** One request at a time, so that nothing overtakes; what is sent meanwhile goes with the next. */
  async #carryUp(): Promise<void> {
    this.#isSending = true
    await undefined
    this.#gather()
    while (this.readyState !== 3 && this.#stream.length > 0) {
      const piece = this.#stream.subarray(0, pieceBytes)
      const poll: Poll = { type: 'up', token: this.#token, offset: this.#sent, piece }
      const answer = await this.#ask(poll, retryAfter, answeredWithinMs + piece.length)
      if (answer === 'gone') return this.#end(1006, '')
      this.#sent += piece.length
      this.#stream = this.#stream.slice(piece.length)
      this.#gather()
    }
    this.#isSending = false
    if (this.readyState === 2) this.#leave()
  }

  #gather(): void {
    if (this.#waiting.length === 0) return
    this.#stream = concat(this.#stream, putFrames(this.#waiting))
    this.#waiting = []
  }

  /** Tries again where the network or something on the way failed: the relay knows what it has had. */
  async #ask(poll: Poll, waits: readonly number[] = retryAfter, within?: number): Promise<Asked> {
    const body = encodePoll(poll)
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#try(body, within).catch(() => undefined)
      if (answer) return answer
      const wait = waits[attempt]
      if (wait === undefined || this.#isLeaving || this.readyState === 3) return 'gone'
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }

  async #try(body: Uint8Array<ArrayBuffer>, within: number | undefined): Promise<Asked | undefined> {
    const ends = this.#abort.signal
    const one = new AbortController()
    const end = () => one.abort()
    ends.addEventListener('abort', end)
    const timer = within === undefined ? undefined : setTimeout(end, within)
    try {
      return await this.#post(body, { signal: one.signal })
    } finally {
      clearTimeout(timer)
      ends.removeEventListener('abort', end)
    }
  }

  /** Undefined when the answer was not the relay's. */
  async #post(body: Uint8Array<ArrayBuffer>, more: RequestInit): Promise<Asked | undefined> {
    const response = await this.#fetch(this.#url, {
      method: 'POST',
      headers: { 'Content-Type': contentType },
      body,
      cache: 'no-store',
      redirect: 'error',
      ...more,
    })
    if (response.status === 204) return new Uint8Array()
    const bytes = new Uint8Array(await response.arrayBuffer())
    if (response.ok) return response.headers.get('Content-Type') === contentType ? bytes : undefined
    return response.status < 500 ? 'gone' : undefined
  }

  protected ended(): void {}

  #end(code: number, reason: string): void {
    if (this.readyState === 3) return
    this.readyState = 3
    globalThis.removeEventListener?.('pagehide', this.#goWithPage)
    clearTimeout(this.#closing)
    this.#abort.abort()
    this.ended()
    this.onclose?.({ code, reason })
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}
