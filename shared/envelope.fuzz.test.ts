import { equalBytes } from './codec.ts'
import { decrypt, type EnvelopeKind, encrypt, envelopeKinds } from './envelope.ts'
import { fuzz } from './fuzz.testing.ts'
import { keysFrom, type SessionKeys } from './keys.ts'
import { mutantOf } from './mutants.testing.ts'
import { decodePart, PartCollector, splitIntoParts } from './parts.ts'
import { bytesOf, memberKeys } from './testing.ts'

const kinds = Object.keys(envelopeKinds) as EnvelopeKind[]
const otherKeys = keysFrom('member', bytesOf(77), bytesOf(78))
/** The same content key for another session: only the associated data tells them apart. */
const mixedKeys: SessionKeys = { ...memberKeys, session: otherKeys.session }
const contents = [new Uint8Array(), bytesOf(1, 40), bytesOf(2, 700), bytesOf(3, 3000)]
const envelopes = kinds.flatMap((kind) =>
  contents.map((content) => ({ kind, bytes: encrypt(memberKeys, kind, content) })),
)
const originals = envelopes.map(({ bytes }) => bytes)

fuzz(
  'an envelope opens as it was closed, and in no other way',
  { inputs: 12_000, kinds: ['unchanged', 'mutant refused', 'other session refused', 'other kind refused'] },
  (chance) => {
    const { kind, bytes } = chance.pick(envelopes)
    if (chance.happens(0.1)) {
      const keys = chance.pick([otherKeys, mixedKeys])
      if (decrypt(keys, kind, bytes)) throw new Error('It opened for another session')
      return 'other session refused'
    }
    const asked = chance.pick(kinds)
    const mutant = chance.happens(0.05) ? bytes : mutantOf([bytes, ...originals], chance)
    const meant = envelopes.find((each) => equalBytes(each.bytes, mutant))
    const opened = decrypt(memberKeys, asked, mutant)
    if (!opened) {
      if (meant?.kind === asked) throw new Error('It did not open')
      return meant ? 'other kind refused' : 'mutant refused'
    }
    if (meant?.kind !== asked) throw new Error('A changed envelope opened')
    return 'unchanged'
  },
)

const update = bytesOf(5, 200_000).map((_, at) => at)
const parts = splitIntoParts(update)

fuzz(
  'parts of an update become that update or nothing, and what never becomes whole is forgotten',
  { inputs: 1_500, kinds: ['whole', 'in part'], slowest: 200 },
  (chance) => {
    const collector = new PartCollector()
    let whole = 0
    const take = (content: Uint8Array) => {
      const part = decodePart(content)
      const update = part && collector.add(part)
      if (update && update.length > 256 * 65_536) throw new Error('More than all parts together')
      if (update) whole++
    }
    const short = parts.map((part) => part.subarray(0, 40))
    for (let turn = 0; turn < 20; turn++)
      take(chance.happens(0.5) ? mutantOf(short, chance) : chance.pick(short))
    for (let turn = 0; turn < 101; turn++) take(Uint8Array.of(0, 1, turn))
    if (collector.waiting) throw new Error('Somebody waits for parts that never come')
    return whole > 101 ? 'whole' : 'in part'
  },
)

/** What the envelopes of parts held; 16 MiB of them may be kept, and the one that came last. */
const [small, large] = [new Uint8Array(100_000), new Uint8Array(1_000_000)]
const mostKept = (16 << 20) + large.length

fuzz(
  'of updates that arrive in part, no more bytes are kept than allowed',
  { inputs: 1_500, kinds: ['all kept', 'some given up'] },
  (chance) => {
    const collector = new PartCollector()
    const groups = Array.from({ length: 1 + chance.below(12) }, (_, name) => ({
      name: Uint8Array.of(name),
      count: 2 + chance.below(4),
      envelope: chance.pick([small, large]),
      come: new Set<number>(),
    }))
    for (let turn = 0; turn < 60; turn++) {
      const { name, count, envelope, come } = chance.pick(groups)
      // The first is held back: nothing becomes whole yet.
      const index = 1 + chance.below(count - 1)
      come.add(index)
      collector.add({ index, count, group: name, bytes: envelope.subarray(0, 1) })
    }
    let [kept, whole] = [0, 0]
    for (const { name, count, envelope, come } of groups) {
      for (let index = 0; index < count; index++) {
        if (come.has(index)) continue
        const update = collector.add({ index, count, group: name, bytes: new Uint8Array() })
        if (!update) continue
        kept += update.length * envelope.length
        whole++
      }
    }
    if (kept > mostKept) throw new Error(`${kept} bytes were kept`)
    return whole === groups.length ? 'all kept' : 'some given up'
  },
)
