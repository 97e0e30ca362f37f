import { equalBytes } from './codec.ts'
import { fuzz } from './fuzz.testing.ts'
import { mutantOf } from './mutants.testing.ts'
import {
  decodePoll,
  encodePoll,
  FrameReader,
  type Poll,
  prefixBytes,
  putFrames,
  tokenBytes,
} from './polling.ts'
import { bytesOf, type Chance } from './testing.ts'

const longest = 300
const token = bytesOf(1, tokenBytes)
const streams = [
  new Uint8Array(),
  putFrames([new Uint8Array()]),
  putFrames([bytesOf(2, 8), new Uint8Array(), bytesOf(3, longest)]),
  putFrames(Array.from({ length: 12 }, (_, at) => bytesOf(at, 3 * at))),
]
const polls: readonly Poll[] = [
  { type: 'open' },
  ...streams.flatMap((piece, at): Poll[] => [
    { type: 'up', token, offset: at * 2 ** 50, piece },
    { type: 'down', token, offset: at * 300 },
    { type: 'leave', token, last: { offset: at, piece } },
  ]),
  { type: 'leave', token },
]
const requests = polls.map(encodePoll)

/** Offsets may be written longer than they need to be; the request is the same, and its own encoding no longer than the body. */
fuzz(
  'the body of a request is one request or none',
  { inputs: 50_000, kinds: ['open', 'up', 'down', 'leave', 'refused'] },
  (chance) => {
    const body = chance.happens(0.02) ? chance.bytes(chance.below(400)) : mutantOf(requests, chance)
    const poll = decodePoll(body)
    if (!poll) return 'refused'
    if (poll.type !== 'open' && poll.token.length !== tokenBytes) throw new Error('It has another token')
    if ('offset' in poll && !Number.isSafeInteger(poll.offset)) throw new Error('It has no place in a stream')
    const written = encodePoll(poll)
    if (written.length > body.length) throw new Error('The request is longer than its body')
    const again = decodePoll(written)
    if (!again || !equalBytes(encodePoll(again), written)) throw new Error('It is another when written')
    return poll.type
  },
)

fuzz(
  'the pieces of a stream become its frames, however they are cut, up to one that is too large or not all there',
  { inputs: 30_000, kinds: ['whole', 'waits', 'tooLarge'] },
  (chance) => {
    const stream = chance.happens(0.02) ? chance.bytes(chance.below(2000)) : mutantOf(streams, chance)
    const { frames, end } = framesOf(stream, chance)
    if (frames.some((frame) => frame.length > longest)) throw new Error('A frame is too large')
    if (frames.some((frame) => frame.buffer.byteLength !== frame.length))
      throw new Error('A frame comes with bytes that are none of its own')
    const read = putFrames(frames)
    if (!equalBytes(read, stream.subarray(0, read.length))) throw new Error('The frames are others')
    const rest = stream.subarray(read.length)
    if (end !== endOf(rest)) throw new Error(`After the frames it ${end}`)
    return end
  },
)

type End = 'whole' | 'waits' | 'tooLarge'

/** What must become of a stream that begins like this and has no whole frame. */
function endOf(rest: Uint8Array): End | 'another frame' {
  if (rest.length < prefixBytes) return rest.length === 0 ? 'whole' : 'waits'
  const length = rest.subarray(0, prefixBytes).reduce((sum, byte) => sum * 256 + byte, 0)
  if (length > longest) return 'tooLarge'
  return rest.length - prefixBytes < length ? 'waits' : 'another frame'
}

function framesOf(stream: Uint8Array, chance: Chance): { frames: Uint8Array<ArrayBuffer>[]; end: End } {
  const reader = new FrameReader()
  const frames: Uint8Array<ArrayBuffer>[] = []
  const most = chance.pick([1, 5, 50, 5000])
  let read = 0
  for (let at = 0; at < stream.length; ) {
    const piece = stream.subarray(at, at + 1 + chance.below(most))
    at += piece.length
    reader.push(piece)
    for (let frame = reader.next(longest); frame; frame = reader.next(longest)) {
      if (frame === 'tooLarge') return { frames, end: 'tooLarge' }
      frames.push(frame)
      read += prefixBytes + frame.length
    }
  }
  return { frames, end: read === stream.length ? 'whole' : 'waits' }
}
