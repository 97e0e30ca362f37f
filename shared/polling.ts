/**
 * The link where WebSockets are blocked: each direction is a stream of frames, and POSTs to the same path carry pieces of
 * both. Offsets count the bytes of a stream, so that what is sent again is applied once. See `protocol.md`.
 */
import {
  type Decoder,
  decodeExactly,
  encode,
  joinBytes,
  putByte,
  putBytes,
  putUint,
  takeByte,
  takeBytes,
  takeRest,
  takeUint,
} from './codec.ts'

export const tokenBytes = 16
/** The most of the stream that one request carries up. */
export const pieceBytes = 65_536
/** A request: its kind, the token, the offset and a piece. */
export const requestBytes = pieceBytes + 64
/** Both ways, and the only type the other end takes for an answer of ours. */
export const contentType = 'application/octet-stream'

export type Poll =
  | { readonly type: 'open' }
  | { readonly type: 'up'; readonly token: Uint8Array; readonly offset: number; readonly piece: Uint8Array }
  /** Everything before the offset has arrived. */
  | { readonly type: 'down'; readonly token: Uint8Array; readonly offset: number }
  | { readonly type: 'leave'; readonly token: Uint8Array; readonly last?: Last | undefined }

/** What of the stream was not carried up when the client had no time left. */
export interface Last {
  readonly offset: number
  readonly piece: Uint8Array
}

const kinds = { open: 1, up: 2, down: 3, leave: 4 } as const

export function encodePoll(poll: Poll): Uint8Array<ArrayBuffer> {
  return encode((encoder) => {
    putByte(encoder, kinds[poll.type])
    if (poll.type === 'open') return
    putBytes(encoder, poll.token)
    const carried = poll.type === 'leave' ? poll.last : poll
    if (!carried) return
    putUint(encoder, carried.offset)
    if ('piece' in carried) putBytes(encoder, carried.piece)
  }) as Uint8Array<ArrayBuffer>
}

/** Undefined for anything that is not exactly one request. */
export function decodePoll(bytes: Uint8Array): Poll | undefined {
  return decodeExactly(bytes, (decoder) => {
    const kind = takeByte(decoder)
    if (kind === kinds.open) return { type: 'open' }
    const token = takeBytes(decoder, tokenBytes).slice()
    switch (kind) {
      case kinds.up:
        return { type: 'up', token, offset: takeUint(decoder), piece: takeRest(decoder) }
      case kinds.down:
        return { type: 'down', token, offset: takeUint(decoder) }
      case kinds.leave:
        return {
          type: 'leave',
          token,
          last: decoder.pos < decoder.arr.length ? takeLast(decoder) : undefined,
        }
      default:
        throw new Error('No such kind')
    }
  })
}

function takeLast(decoder: Decoder): Last {
  return { offset: takeUint(decoder), piece: takeRest(decoder) }
}

/** `stream := n × (uint32(length) • frame)` */
export const prefixBytes = 4

export function putFrames(frames: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const stream = new Uint8Array(frames.reduce((sum, { length }) => sum + prefixBytes + length, 0))
  const view = new DataView(stream.buffer)
  let at = 0
  for (const frame of frames) {
    view.setUint32(at, frame.length)
    stream.set(frame, at + prefixBytes)
    at += prefixBytes + frame.length
  }
  return stream
}

/** Finds the frames in a stream that comes in pieces. */
export class FrameReader {
  #rest: Uint8Array = new Uint8Array()

  /** What is kept of a frame that is not whole. */
  get waitingBytes(): number {
    return this.#rest.buffer.byteLength
  }

  push(piece: Uint8Array): void {
    this.#rest = this.#rest.length === 0 ? piece.slice() : joinBytes(this.#rest, piece)
  }

  /** The next frame; undefined until all of it is here. A longer one is never waited for. */
  next(longest: number): Uint8Array<ArrayBuffer> | 'tooLarge' | undefined {
    const frame = this.#take(longest)
    // What it was cut from would stay with it.
    if (!frame && this.#rest.length < this.waitingBytes) this.#rest = this.#rest.slice()
    return frame
  }

  #take(longest: number): Uint8Array<ArrayBuffer> | 'tooLarge' | undefined {
    if (this.#rest.length < prefixBytes) return undefined
    const length = new DataView(this.#rest.buffer, this.#rest.byteOffset).getUint32(0)
    if (length > longest) return 'tooLarge'
    const end = prefixBytes + length
    if (this.#rest.length < end) return undefined
    const frame = this.#rest.slice(prefixBytes, end)
    this.#rest = this.#rest.subarray(end)
    return frame
  }
}
