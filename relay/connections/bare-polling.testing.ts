import { EventEmitter } from 'node:events'
import { type ClientRequest, request } from 'node:http'
import {
  contentType,
  encodePoll,
  FrameReader,
  type Poll,
  putFrames,
  tokenBytes,
} from '../../shared/polling.ts'
import { decodeFromRelay } from '../../shared/wire.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** One POST, as a browser of that page makes it. */
export function post(
  url: string,
  origin: string | null,
  poll: Poll | Uint8Array,
  headers: Record<string, string> = { 'Content-Type': contentType },
  begun: (request: ClientRequest) => void = () => {},
): Promise<Answer> {
  const body = poll instanceof Uint8Array ? poll : encodePoll(poll)
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      {
        method: 'POST',
        headers: {
          ...headers,
          'Content-Length': body.length,
          ...(origin === null ? {} : { Origin: origin }),
        },
      },
      async (answer) => {
        const parts: Buffer[] = []
        answer.on('error', reject)
        for await (const part of answer) parts.push(part)
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) })
      },
    )
    asked.on('error', reject)
    begun(asked)
    asked.end(body)
  })
}

/** Looks like a socket of `ws` to the bare client, over plain requests. It tries nothing twice. */
export class BarePolling extends EventEmitter {
  readonly url: string
  readonly origin: string | null
  token = new Uint8Array(tokenBytes)
  /** Bytes of both streams. */
  sent = 0
  received = 0
  readonly #reader = new FrameReader()
  #waiting: Uint8Array[] = []
  #sending = false
  #isPaused = false
  #polling: ClientRequest | undefined
  #idle = Promise.resolve()
  #isClosed = false

  constructor(url: string, origin: string | null) {
    super()
    this.url = url
    this.origin = origin
    void this.#open()
  }

  send(frame: Uint8Array): void {
    this.#waiting.push(frame)
    if (this.#sending) return
    this.#sending = true
    queueMicrotask(() => void this.#send())
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#idle = this.#keepPolling()
  }

  /** Cuts the request that waits. A test makes those that follow, soon. */
  async stopPolling(): Promise<void> {
    this.pause()
    this.#polling?.destroy()
    await this.#idle
  }

  close(): void {
    void this.ask({ type: 'leave', token: this.token }).then(() => this.#end(1000))
  }

  /** As if the browser or its network were gone. */
  terminate(): void {
    this.#isClosed = true
    this.#polling?.destroy()
    this.emit('close', 1006, '')
  }

  ask(poll: Poll | Uint8Array): Promise<Answer> {
    return post(this.url, this.origin, poll)
  }

  async #open(): Promise<void> {
    const { status, body } = await this.ask({ type: 'open' })
    if (status !== 200) {
      this.emit('unexpected-response', undefined, { statusCode: status })
      return this.#end(1006)
    }
    this.token = new Uint8Array(body.subarray(0, tokenBytes))
    this.emit('open')
    this.#take(body.subarray(tokenBytes))
    this.#idle = this.#keepPolling()
  }

  async #keepPolling(): Promise<void> {
    while (!this.#isClosed && !this.#isPaused) await this.#poll()
  }

  async #poll(): Promise<void> {
    const down: Poll = { type: 'down', token: this.token, offset: this.received }
    const begun = (asked: ClientRequest) => {
      this.#polling = asked
    }
    const answer = await post(this.url, this.origin, down, undefined, begun).catch(() => undefined)
    if (answer?.status === 200) this.#take(answer.body)
    else if (answer || !this.#isPaused) this.#end(1006)
  }

  #take(piece: Uint8Array): void {
    this.received += piece.length
    this.#reader.push(piece)
    for (let frame = this.#reader.next(1 << 24); frame; frame = this.#reader.next(1 << 24)) {
      if (frame === 'tooLarge') throw new Error('The relay sends no such frame')
      this.emit('message', Buffer.from(frame))
      const message = decodeFromRelay(frame)
      if (message?.type === 'refuse') this.#end(message.code, message.words)
    }
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      const stream = putFrames(this.#waiting)
      this.#waiting = []
      for (let at = 0; at < stream.length; at += 65_536) {
        const piece = stream.subarray(at, at + 65_536)
        await this.ask({ type: 'up', token: this.token, offset: this.sent, piece }).catch(() => undefined)
        this.sent += piece.length
      }
    }
    this.#sending = false
  }

  #end(code: number, words = ''): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.emit('close', code, words)
  }
}
