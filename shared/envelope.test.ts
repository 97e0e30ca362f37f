import { expect, test } from 'vitest'
import { decrypt, encrypt, envelopeLimits, envelopeOverhead, paddedSize } from './envelope.ts'
import { createSessionKeys } from './keys.ts'
import { decodePart, PartCollector, splitIntoParts } from './parts.ts'

const keys = createSessionKeys()
const content = new Uint8Array(150).fill(1)

test('what was encrypted for a session and kind is read in that session and kind only', () => {
  const envelope = encrypt(keys, 'change', content)
  expect(decrypt(keys, 'change', envelope)).toEqual(content)
  expect(decrypt(keys, 'snapshot', envelope)).toBeUndefined()
  expect(decrypt(keys, 'signal', envelope)).toBeUndefined()
  expect(decrypt(createSessionKeys(), 'change', envelope)).toBeUndefined()
  expect(decrypt({ ...createSessionKeys(), contentKey: keys.contentKey }, 'change', envelope)).toBeUndefined()
})

test('an envelope in which any byte was touched is refused', () => {
  const envelope = encrypt(keys, 'change', content)
  for (let at = 0; at < envelope.length; at++) {
    const touched = envelope.slice()
    touched[at] = (touched[at] ?? 0) ^ 1
    expect(decrypt(keys, 'change', touched), `byte ${at}`).toBeUndefined()
  }
  expect(decrypt(keys, 'change', envelope.slice(0, -1))).toBeUndefined()
  expect(decrypt(keys, 'change', new Uint8Array())).toBeUndefined()
})

test('everything up to 212 bytes makes envelopes of one size', () => {
  const sizes = [0, 1, 100, 212].map((length) => encrypt(keys, 'change', new Uint8Array(length)).length)
  expect(sizes).toEqual([256, 256, 256, 256])
  expect(encrypt(keys, 'change', new Uint8Array(213)).length).toBe(1024)
})

test('padding of what is larger than the classes costs at most 12 %', () => {
  for (let size = 65_537; size < 1 << 20; size += 997) {
    expect(paddedSize(size)).toBeGreaterThanOrEqual(size)
    expect(paddedSize(size) / size).toBeLessThan(1.12)
  }
})

test('what fits no envelope is said before anything is sent', () => {
  const size = envelopeLimits.change - envelopeOverhead
  expect(encrypt(keys, 'change', new Uint8Array(size)).length).toBe(envelopeLimits.change)
  expect(() => encrypt(keys, 'change', new Uint8Array(size + 1))).toThrow()
})

test('a large update travels in parts that may come in any order and twice', () => {
  const update = Uint8Array.from({ length: 300_000 }, (_, at) => at % 251)
  const parts = splitIntoParts(update)
  expect(parts.length).toBeGreaterThan(4)
  const collector = new PartCollector()
  const whole = [...parts, ...parts].reverse().flatMap((bytes) => {
    expect(encrypt(keys, 'change', bytes).length).toBeLessThanOrEqual(envelopeLimits.change)
    const part = decodePart(bytes)
    return (part && collector.add(part)) ?? []
  })
  expect(whole[0]).toEqual(update)
  expect(new PartCollector().waiting).toBe(false)
})
