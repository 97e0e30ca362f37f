import type { Request } from '@playwright/test'
import { decodePoll, FrameReader, tokenBytes } from '../shared/polling.ts'

/** One direction of one connection, of which pieces may come twice. */
class Stream {
  readonly #reader = new FrameReader()
  #length = 0

  take(offset: number, piece: Uint8Array): Buffer[] {
    const fresh = piece.subarray(Math.max(0, this.#length - offset))
    this.#length += fresh.length
    this.#reader.push(fresh)
    const frames: Buffer[] = []
    for (
      let frame = this.#reader.next(1 << 22);
      frame instanceof Uint8Array;
      frame = this.#reader.next(1 << 22)
    )
      frames.push(Buffer.from(frame))
    return frames
  }
}

/** The frames in the requests of a browser in a network that blocks WebSockets. */
export class PolledFrames {
  readonly #up = new Map<string, Stream>()
  readonly #down = new Map<string, Stream>()
  #read: Promise<unknown> = Promise.resolve()

  sentBy(request: Request): Buffer[] {
    const poll = pollIn(request)
    return poll?.type === 'up' ? streamOf(this.#up, poll.token).take(poll.offset, poll.piece) : []
  }

  /** One after the other, as they came. */
  receivedBy(request: Request): Promise<Buffer[]> {
    const read = this.#read.then(() => this.#receivedBy(request))
    this.#read = read
    return read
  }

  async #receivedBy(request: Request): Promise<Buffer[]> {
    const poll = pollIn(request)
    if (poll?.type !== 'open' && poll?.type !== 'down') return []
    const body = await bodyOf(request).catch(() => undefined)
    if (!body) return [] // the page was closed meanwhile, or there is none
    if (poll.type === 'down') return streamOf(this.#down, poll.token).take(poll.offset, body)
    return streamOf(this.#down, body.subarray(0, tokenBytes)).take(0, body.subarray(tokenBytes))
  }
}

async function bodyOf(request: Request): Promise<Buffer | undefined> {
  const response = await request.response()
  return response?.status() === 200 ? response.body() : undefined
}

function pollIn(request: Request) {
  if (request.method() !== 'POST' || !request.url().includes('/sync/')) return undefined
  return decodePoll(request.postDataBuffer() ?? new Uint8Array())
}

function streamOf(streams: Map<string, Stream>, token: Uint8Array): Stream {
  const name = Buffer.from(token).toString('hex')
  const known = streams.get(name)
  if (known) return known
  const stream = new Stream()
  streams.set(name, stream)
  return stream
}
