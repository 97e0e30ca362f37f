import { expect, test } from 'vitest'
import { joinBytes } from './codec.ts'
import { type Card, deckLimits } from './deck.ts'
import { participantId, type RecordId, recordId } from './id.ts'
import { publicKeyOf } from './keys.ts'
import { decodeRecord, encodeRecord, recordLimits, type Signed } from './record.ts'
import { bytesOf, memberKeys } from './testing.ts'

const seed = bytesOf(5)
const author = participantId(publicKeyOf(seed))
const round = recordId(bytesOf(3, 16))

test.each<[string, (many: number) => Signed, number]>([
  ['bytes of a name', (many) => profile('a'.repeat(many)), recordLimits.name],
  ['cards', (many) => started(Array.from({ length: many }, () => ({ label: '5' }))), deckLimits.cards],
  ['bytes of a label', (many) => started([{ label: 'a'.repeat(many) }]), deckLimits.label * 4],
  ['ids in a list', (many) => revealed(ids(many), []), recordLimits.ids],
  ['ids in two lists', (many) => revealed(ids(512), ids(many)), 504],
])('of %s a record has as many as protocol.md says, and no more', (_, make, most) => {
  expect(isRecord(make(most))).toBe(true)
  expect(isRecord(make(most + 1))).toBe(false)
})

test('a round without cards is no record', () => {
  expect(isRecord(started([]))).toBe(false)
})

test('ids stand in the order of their texts, none twice, or it is no record', () => {
  const [first, last] = [bytesOf(255, 16), bytesOf(0, 16)] // 777… and aaa…
  const isRevealOf = (...cut: Uint8Array[]) =>
    decodeRecord(
      joinBytes(
        Uint8Array.of(5),
        bytesOf(9),
        bytesOf(3, 16),
        Uint8Array.of(cut.length),
        ...cut,
        Uint8Array.of(0),
        bytesOf(0, 64),
      ),
    ) !== undefined
  expect(isRevealOf(first, last)).toBe(true)
  expect(isRevealOf(last, first)).toBe(false)
  expect(isRevealOf(first, first)).toBe(false)
})

function isRecord(statement: Signed): boolean {
  return decodeRecord(encodeRecord(memberKeys.session, statement, seed)) !== undefined
}

function profile(name: string): Signed {
  return { kind: 'profile', author, counter: 1, name, observer: false, membership: bytesOf(1, 64) }
}

function started(cards: readonly Card[]): Signed {
  return { kind: 'round', author, story: undefined, cards, previous: undefined, rules: undefined }
}

function revealed(cut: readonly RecordId[], seen: readonly RecordId[]): Signed {
  return { kind: 'reveal', author, round, cut, seen }
}

function ids(many: number): RecordId[] {
  return Array.from({ length: many }, (_, at) => {
    const bytes = bytesOf(0, 16)
    new DataView(bytes.buffer).setUint16(0, at)
    return recordId(bytes)
  })
}
