import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodePoll, encodePoll, FrameReader, putFrames } from './polling.ts'

const token = new Uint8Array(16).fill(9)

test('requests are what they were, and anything else is none', () => {
  for (const poll of [
    { type: 'open' } as const,
    { type: 'up', token, offset: 300, piece: Uint8Array.of(1, 2, 3) } as const,
    { type: 'down', token, offset: 2 ** 40 } as const,
    { type: 'leave', token } as const,
    { type: 'leave', token, last: { offset: 300, piece: Uint8Array.of(1, 2, 3) } } as const,
  ]) {
    const bytes = encodePoll(poll)
    const mayGoOn = poll.type === 'up' || poll.type === 'leave'
    expect(decodePoll(bytes)).toEqual(poll)
    if (!mayGoOn) expect(decodePoll(Uint8Array.of(...bytes, 0))).toBeUndefined()
    expect(decodePoll(bytes.subarray(0, poll.type === 'leave' ? 16 : mayGoOn ? 17 : -1))).toBeUndefined()
  }
  expect(decodePoll(Uint8Array.of(5, ...token))).toBeUndefined()
})

test('frames come out as they went in, however the stream is cut into pieces', () => {
  const frames = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 })
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (sent, cuts) => {
      const stream = putFrames(sent)
      const reader = new FrameReader()
      const received: Uint8Array[] = []
      for (let at = 0, cut = 0; at < stream.length; cut++) {
        const length = cuts[cut % cuts.length] ?? 1
        reader.push(stream.subarray(at, at + length))
        at += length
        for (let frame = reader.next(300); frame; frame = reader.next(300)) {
          if (frame === 'tooLarge') throw new Error('None is too large')
          received.push(frame)
        }
      }
      expect(received).toEqual(sent)
    }),
  )
})

test('a frame that will be too large is refused before it is here', () => {
  const reader = new FrameReader()
  reader.push(Uint8Array.of(0, 0, 0x10, 0x01, 7))
  expect(reader.next(4096)).toBe('tooLarge')
  expect(reader.next(4097)).toBeUndefined()
})

test('of what came only the frame that is not whole yet is kept', () => {
  const reader = new FrameReader()
  const stream = putFrames([new Uint8Array(50_000), new Uint8Array(300)])
  reader.push(stream.subarray(0, -100))
  expect(reader.next(65_536)).toHaveLength(50_000)
  expect(reader.next(65_536)).toBeUndefined()
  expect(reader.waitingBytes).toBe(204)
  reader.push(stream.subarray(-100))
  expect(reader.next(65_536)).toHaveLength(300)
  expect(reader.next(65_536)).toBeUndefined()
  expect(reader.waitingBytes).toBe(0)
})
