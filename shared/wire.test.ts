import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeFromClient, decodeFromRelay, encodeFromClient, encodeFromRelay } from './wire.ts'

const cursor = new Map([['eu.abc', { sequence: 7, mark: new Uint8Array(8) }]])
const envelope = new Uint8Array(60).fill(3)

test('decoders answer any bytes without throwing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 80 }), (bytes, kind) => {
      const frame = Uint8Array.from([kind, ...bytes])
      decodeFromClient(frame)
      decodeFromRelay(frame)
    }),
    { numRuns: 20_000 },
  )
})

test('a frame cut short is refused or shorter, never longer than what came', () => {
  const frame = encodeFromClient({ type: 'snapshot', covers: cursor, replaces: new Uint8Array(16), envelope })
  for (let length = 0; length < frame.length; length++) {
    const message = decodeFromClient(frame.subarray(0, length))
    if (message?.type === 'snapshot') expect(message.envelope.length).toBeLessThan(envelope.length)
  }
})

test('a number that is too large to be told from its neighbours is none, whatever its last byte', () => {
  const joined = (hex: string) => decodeFromRelay(new Uint8Array(Buffer.from(`47${hex}`, 'hex')))
  expect(joined('ffffffffffffff0f')).toEqual({ type: 'joined', connection: Number.MAX_SAFE_INTEGER })
  expect(joined('8080808080808010')).toBeUndefined()
  expect(joined('ffffffffffffff7f')).toBeUndefined()
})

test('zeros without end are no number', () => {
  const zeros = (count: number) => decodeFromRelay(Uint8Array.of(0x47, ...Array(count - 1).fill(0x80), 0))
  expect(zeros(2)).toEqual({ type: 'joined', connection: 0 })
  expect(zeros(200)).toBeUndefined()
})

test('a frame inside a larger buffer is not read past its end', () => {
  const frame = encodeFromRelay({ type: 'refuse', code: 4403, words: 'Not here' })
  const pool = new Uint8Array(1000).fill(65)
  pool.set(frame, 100)
  expect(decodeFromRelay(pool.subarray(100, 100 + frame.length))).toMatchObject({ words: 'Not here' })
  expect(decodeFromRelay(pool.subarray(100, 100 + frame.length - 1))).toBeUndefined()
  expect(decodeFromRelay(pool.subarray(100, 100 + frame.length + 1))).toBeUndefined()
})

test('a cursor with a nasty, repeated or endless list of origins is refused', () => {
  for (const origin of ['__proto__', 'UPPER', '', 'a'.repeat(41)]) {
    const frame = encodeFromRelay({
      type: 'keepalive',
      cursor: new Map([[origin, { sequence: 1, mark: new Uint8Array(8) }]]),
      elsewhere: new Map(),
    })
    expect(decodeFromRelay(frame), origin).toBeUndefined()
  }
})
