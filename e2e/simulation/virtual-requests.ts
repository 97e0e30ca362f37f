import { PollingSocket } from '../../client/link/polling-socket.ts'
import type { SessionId } from '../../shared/id.ts'
import { contentType } from '../../shared/polling.ts'
import type { Life, VirtualClock } from './virtual-clock.ts'
import { type Gate, type Latency, type Line, Pipe } from './virtual-network.ts'
import type { Answer, Request } from './virtual-polls.ts'

/** What the far end does with requests. */
export interface Answering {
  readonly life: Life
  /** One is on its way here. Returns the way to forget it. */
  expect(call: Call): () => void
  answer(call: Call): void
}

export interface RequestsOptions {
  readonly url: string
  readonly clock: VirtualClock
  readonly latency: Latency
  readonly device: Life
  /** Where the balancer sends the next one; undefined when none can be reached. */
  readonly far: () => Answering | undefined
  /** When a request fails that reaches nobody; undefined: never. */
  readonly failsAfter: () => number | undefined
  /** Whether one that is on its way when the connection breaks arrives nevertheless. */
  readonly arrivesYet: () => boolean
  readonly trace: (what: string, bytes: Uint8Array) => void
  readonly counts: RequestCounts
}

export interface RequestCounts {
  /** Requests that a relay has answered. */
  answered: number
  /** Lost on the way there. */
  lost: number
  /** Their answers lost, though a relay had them. */
  answersLost: number
}

/** One direction of all requests of a device. */
class Direction implements Gate {
  readonly #pipes = new Set<Pipe>()
  #isStalled = false

  add(pipe: Pipe): void {
    this.#pipes.add(pipe)
    if (this.#isStalled) pipe.stall()
  }

  delete(pipe: Pipe): void {
    this.#pipes.delete(pipe)
  }

  stall(): void {
    this.#isStalled = true
    for (const pipe of this.#pipes) pipe.stall()
  }

  flow(): void {
    this.#isStalled = false
    for (const pipe of this.#pipes) pipe.flow()
  }
}

/** What a device that opens no WebSocket has instead: requests that overtake each other, and of which each fails by itself. */
export class Requests implements Line {
  readonly socket: PollingSocket
  readonly up = new Direction()
  readonly down = new Direction()
  readonly #options: RequestsOptions
  readonly #calls = new Set<Call>()
  #isOver = false

  constructor(options: RequestsOptions) {
    this.#options = options
    const fetcher = (url: string, { body, signal }: { body: Uint8Array; signal?: AbortSignal }) =>
      this.#ask(new URL(url), body, signal)
    this.socket = new PollingSocket(options.url, fetcher as unknown as typeof fetch)
  }

  get dead(): boolean {
    return this.#isOver || this.socket.readyState === 3
  }

  drop(device: number | undefined, relay: number): void {
    for (const call of this.#calls) call.drop(device, relay)
  }

  lose(): void {
    this.#isOver = true
    for (const call of this.#calls) call.isOver = true
  }

  #ask(url: URL, body: Uint8Array, signal: AbortSignal | undefined): Promise<Response> {
    const { clock, latency, device, far, failsAfter, arrivesYet, trace, counts } = this.#options
    return new Promise((resolve, reject) => {
      const answering = far()
      if (!answering) {
        const after = failsAfter()
        if (after !== undefined) clock.after(after, () => reject(failed()), device)
        signal?.addEventListener('abort', () => reject(failed()))
        return
      }
      const up = new Pipe(clock, latency, () => answering.life)
      const down = new Pipe(clock, latency, () => device)
      const session = url.pathname.split('/').at(-1) as SessionId
      const call = new Call({
        clock,
        up,
        down,
        far: answering,
        device,
        arrivesYet,
        counts,
        request: { session, origin: url.origin, body: body.slice() },
        ended: (answer) => {
          this.#calls.delete(call)
          this.up.delete(up)
          this.down.delete(down)
          signal?.removeEventListener('abort', leave)
          if (!answer) return reject(failed())
          trace(`answer ${answer.status}`, answer.body ?? new Uint8Array())
          resolve(responseOf(answer))
        },
      })
      this.#calls.add(call)
      this.up.add(up)
      this.down.add(down)
      const leave = () => call.leave()
      signal?.addEventListener('abort', leave)
      trace('request', body)
      call.go()
    })
  }
}

interface CallOptions {
  readonly clock: VirtualClock
  readonly up: Pipe
  readonly down: Pipe
  readonly far: Answering
  readonly device: Life
  readonly arrivesYet: () => boolean
  readonly counts: RequestCounts
  readonly request: Omit<Request, 'signal'>
  /** The device has the answer, or knows that there is none. */
  readonly ended: (answer: Answer | undefined) => void
}

/** One request, and its answer. */
export class Call {
  readonly #options: CallOptions
  readonly #cut = new AbortController()
  #forget = () => {}
  #hasArrived = false
  /** What is on the way there does not arrive any more. */
  #isLost = false
  #isAnswerLost = false
  /** The device waits for it no longer. */
  isOver = false

  constructor(options: CallOptions) {
    this.#options = options
  }

  get request(): Request {
    return { ...this.#options.request, signal: this.#cut.signal }
  }

  go(): void {
    const { up, far } = this.#options
    this.#forget = far.expect(this)
    up.send(0, () => {
      if (this.#isLost) return
      this.#hasArrived = true
      far.answer(this)
    })
  }

  answer(answer: Answer): void {
    const { down, counts } = this.#options
    counts.answered++
    down.send(0, () => {
      if (!this.#isAnswerLost) this.#end(answer)
    })
  }

  /** Nobody is there to answer it; the device notices now, or by itself. */
  reset(silently: boolean): void {
    this.#isLost = true
    this.#isAnswerLost = true
    const { clock, device } = this.#options
    if (!silently) clock.after(0, () => this.#end(undefined), device)
  }

  /** Its connection is gone, and the answer with it. */
  drop(device: number | undefined, relay: number): void {
    if (this.#isAnswerLost) return
    const { clock, far, arrivesYet, counts } = this.#options
    this.#isAnswerLost = true
    this.#isLost = !this.#hasArrived && !arrivesYet()
    if (this.#isLost) counts.lost++
    else counts.answersLost++
    if (device !== undefined) clock.after(device, () => this.#end(undefined), this.#options.device)
    clock.after(relay, () => this.#cut.abort(), far.life)
  }

  /** The device does not want it any more. */
  leave(): void {
    if (this.isOver) return
    this.#options.up.send(0, () => {
      if (!this.#isLost) this.#cut.abort()
    })
    this.#end(undefined)
  }

  #end(answer: Answer | undefined): void {
    if (this.isOver) return
    this.isOver = true
    this.#forget()
    this.#options.ended(answer)
  }
}

function failed(): TypeError {
  return new TypeError('Failed to fetch')
}

/** As much of one as `PollingSocket` looks at. */
function responseOf({ status, body }: Answer): Response {
  const response = {
    status,
    ok: status < 300,
    headers: new Map([['Content-Type', contentType]]),
    arrayBuffer: async () => new Uint8Array(body ?? []).buffer,
  }
  return response as unknown as Response
}
