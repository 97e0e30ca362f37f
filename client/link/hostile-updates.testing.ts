/** Updates in Yjs's format V1 that no Yjs wrote: well-formed, and as wrong as one can be. */
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import type { Chance } from '../../shared/testing.ts'

type Encoder = encoding.Encoder

interface Id {
  readonly client: number
  readonly clock: number
}

/** Names that a document knows, and some that it should not trip over. */
const names = [
  'stories',
  'settings',
  'records',
  'hidden',
  'decks',
  'times',
  'title',
  'notes',
  'order',
  'removed',
  'key',
  'link',
  'given',
  'name',
  'deck',
  'laid',
  'timer',
  'linkTemplate',
  '__proto__',
  'constructor',
  'toString',
  '',
  'aaaaaaaaaaaaaaaa',
]

/** A few clients with a few structs each, that refer to each other, to the document, or to nothing. */
export function hostileUpdate(doc: Y.Doc, chance: Chance): Uint8Array {
  const state = [...Y.decodeStateVector(Y.encodeStateVector(doc))].map(([client, clock]) => ({
    client,
    clock,
  }))
  const clients = [...state, { client: 1 + chance.below(3), clock: 0 }]
  const keys = [...names, ...doc.getMap('stories').keys(), ...doc.getMap('records').keys()]
  const anywhere = (): Id => {
    const { client, clock } = chance.pick(clients)
    return { client, clock: chance.happens(0.1) ? hugeOr(chance, clock) : chance.below(clock + 12) }
  }
  return encoding.encode((encoder) => {
    const sections = 1 + chance.below(3)
    encoding.writeVarUint(encoder, chance.happens(0.02) ? sections + 1 : sections)
    for (let section = 0; section < sections; section++) {
      const { client, clock } = chance.pick(clients)
      const structs = 1 + chance.below(chance.happens(0.05) ? 200 : 6)
      encoding.writeVarUint(encoder, chance.happens(0.01) ? structs + 1 : structs)
      encoding.writeVarUint(encoder, client)
      const near = Math.max(0, clock + chance.below(5) - 2)
      const begin = chance.happens(0.7) ? clock : chance.happens(0.9) ? near : hugeOr(chance, clock)
      encoding.writeVarUint(encoder, begin)
      const around = () =>
        chance.happens(0.6) ? { client, clock: Math.max(0, begin + chance.below(8) - 2) } : anywhere()
      for (let at = 0; at < structs; at++) writeStruct(encoder, chance, keys, around)
    }
    const deletions = chance.below(3)
    encoding.writeVarUint(encoder, deletions)
    for (let at = 0; at < deletions; at++) {
      const ranges = chance.below(4)
      encoding.writeVarUint(encoder, chance.pick(clients).client)
      encoding.writeVarUint(encoder, ranges)
      for (let range = 0; range < ranges; range++) {
        encoding.writeVarUint(encoder, anywhere().clock)
        encoding.writeVarUint(encoder, chance.happens(0.1) ? hugeOr(chance, 0) : chance.below(9))
      }
    }
  })
}

function hugeOr(chance: Chance, small: number): number {
  return chance.pick([small, 2 ** 31, 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER])
}

const kinds = {
  gc: 0,
  deleted: 1,
  json: 2,
  binary: 3,
  text: 4,
  embed: 5,
  format: 6,
  type: 7,
  any: 8,
  doc: 9,
  skip: 10,
}
/** What the app writes is likelier, so that more than the first struct gets by. */
const likely = [
  kinds.text,
  kinds.any,
  kinds.binary,
  kinds.type,
  kinds.deleted,
  kinds.gc,
  kinds.skip,
  ...Object.values(kinds),
]

function writeStruct(encoder: Encoder, chance: Chance, keys: readonly string[], around: () => Id): void {
  const kind = chance.pick(chance.happens(0.9) ? likely.slice(0, 5) : likely)
  const length = () => (chance.happens(0.03) ? hugeOr(chance, 0) : 1 + chance.below(4))
  if (kind === kinds.gc || kind === kinds.skip) {
    encoding.writeUint8(encoder, kind)
    return encoding.writeVarUint(encoder, length())
  }
  const [origin, right] = [chance.happens(0.4), chance.happens(0.3)]
  const sub = chance.happens(kind === kinds.text ? 0.2 : 0.7)
  encoding.writeUint8(encoder, kind | (origin ? 128 : 0) | (right ? 64 : 0) | (sub ? 32 : 0))
  if (origin) writeId(encoder, around())
  if (right) writeId(encoder, around())
  if (!origin && !right) {
    const named = chance.happens(0.5)
    encoding.writeVarUint(encoder, named ? 1 : 0)
    if (named) encoding.writeVarString(encoder, chance.pick(keys))
    else writeId(encoder, around())
    if (sub) encoding.writeVarString(encoder, chance.pick(keys))
  }
  writeContent(encoder, chance, kind, length)
}

function writeContent(encoder: Encoder, chance: Chance, kind: number, length: () => number): void {
  const json = () => chance.pick(['null', '{}', '{"a":[1]}', '"x"', 'undefined', '{', '1e309'])
  switch (kind) {
    case kinds.deleted:
      return encoding.writeVarUint(encoder, length())
    case kinds.json:
      encoding.writeVarUint(encoder, 1)
      return encoding.writeVarString(encoder, json())
    case kinds.binary:
      return encoding.writeVarUint8Array(encoder, chance.bytes(chance.below(200)))
    case kinds.text:
      return encoding.writeVarString(
        encoder,
        chance.pick(['a', 'word', '', '\ud83d', '🂠🂡', '\0', 'x'.repeat(3000)]),
      )
    case kinds.embed:
      return encoding.writeVarString(encoder, json())
    case kinds.format:
      encoding.writeVarString(encoder, 'bold')
      return encoding.writeVarString(encoder, json())
    case kinds.type:
      encoding.writeVarUint(encoder, chance.happens(0.8) ? chance.pick([1, 2]) : chance.below(8))
      return
    case kinds.doc:
      encoding.writeVarString(encoder, 'a')
      return encoding.writeAny(encoder, {})
    default: {
      const count = chance.below(4)
      encoding.writeVarUint(encoder, count)
      for (let at = 0; at < count; at++) encoding.writeAny(encoder, anything(chance))
    }
  }
}

// biome-ignore lint/suspicious/noExplicitAny: `writeAny` asks for it
function anything(chance: Chance): any {
  return chance.pick([
    null,
    undefined,
    true,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -1,
    2 ** 53,
    12n,
    'text',
    'a0',
    'x'.repeat(5000),
    '1e400 1e400',
    new Uint8Array(300),
    ...(chance.happens(0.1) ? [{}, [[]], { length: 1e9 }] : []),
  ])
}

function writeId(encoder: Encoder, { client, clock }: Id): void {
  encoding.writeVarUint(encoder, client)
  encoding.writeVarUint(encoder, clock)
}
