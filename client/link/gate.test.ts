import * as encoding from 'lib0/encoding'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { addStories, createDocument } from '../../shared/document.ts'
import { isAcceptable } from './gate.ts'

function updateOf(change: (doc: Y.Doc) => void): Uint8Array {
  const doc = new Y.Doc()
  change(doc)
  return Y.encodeStateAsUpdate(doc)
}

test('what the app writes passes', () => {
  expect(isAcceptable(updateOf((doc) => addStories(doc, [{ title: 'one' }, { title: 'two' }])))).toBe(true)
  expect(isAcceptable(updateOf((doc) => doc.getMap('records').set('id', new Uint8Array(150))))).toBe(true)
  expect(isAcceptable(updateOf((doc) => doc.getText('t').insert(0, 'text')))).toBe(true)
})

test('what the app never writes is refused: nested values, arrays, sub-documents, XML', () => {
  expect(isAcceptable(updateOf((doc) => doc.getMap('m').set('a', { b: { c: 1 } })))).toBe(false)
  expect(isAcceptable(updateOf((doc) => doc.getMap('m').set('a', new Y.Array())))).toBe(false)
  expect(isAcceptable(updateOf((doc) => doc.getMap('m').set('a', new Y.Doc())))).toBe(false)
  expect(isAcceptable(updateOf((doc) => doc.getXmlFragment('x').insert(0, [new Y.XmlElement('b')])))).toBe(
    false,
  )
})

// A text of several letters as an entry of a map, taken apart by what is linked into it, and its story deleted: Yjs
// threw while it collected what was deleted, and from then on told nobody of any change. Found by the fuzzer after a million updates.
test('a story that is deleted after somebody linked into it wrongly silences no device', () => {
  const doc = createDocument()
  doc.clientID = 1
  doc.getMap('stories').set('aaaaaaaaaaaaaaaa', new Y.Map([['key', 'APP-1']]))
  const update = encoding.encode((encoder) => {
    const numbers = (...all: number[]) => {
      for (const number of all) encoding.writeVarUint(encoder, number)
    }
    const text = (content: string, client: number, clock: number) => {
      encoding.writeUint8(encoder, 0x84) // a string behind that one
      numbers(client, clock)
      encoding.writeVarString(encoder, content)
    }
    numbers(1, 2, 2, 0) // two structs of client 2
    text('abcd', 1, 1)
    text('x', 2, 1)
    numbers(1, 1, 1, 0, 1) // the story is deleted
  })
  expect(isAcceptable(update)).toBe(true)
  Y.applyUpdate(doc, update)
  expect(doc.getMap('stories').size).toBe(0)
  let told = 0
  doc.on('update', () => told++)
  addStories(doc, [{ title: 'still heard of' }])
  expect(told).toBe(1)
})

test('damaged bytes are refused without throwing, or are whole updates still', () => {
  const update = updateOf((doc) => addStories(doc, [{ title: 'one' }, { title: 'two' }, { title: 'three' }]))
  for (let at = 0; at < update.length; at++) {
    for (const value of [0, 1, 127, 128, 255]) {
      const damaged = update.slice()
      damaged[at] = value
      isAcceptable(damaged)
    }
    expect(isAcceptable(update.subarray(0, at))).toBe(false)
  }
})

test('more than a mebibyte is refused unread', () => {
  expect(isAcceptable(new Uint8Array((1 << 20) + 1))).toBe(false)
})

test('lists at any depth, texts that belong to no story, and a map below a story are refused', () => {
  const story = (fill: (fields: Y.Map<unknown>) => void) =>
    isAcceptable(
      updateOf((doc) => {
        const fields = new Y.Map()
        fill(fields)
        doc.getMap('stories').set('a', fields)
      }),
    )
  expect(story((fields) => fields.set('title', new Y.Text('one')))).toBe(true)
  expect(story((fields) => fields.set('elsewhere', new Y.Text('one')))).toBe(false)
  expect(story((fields) => fields.set('title', new Y.Map()))).toBe(false)
  expect(story((fields) => fields.set('title', new Y.XmlText('one')))).toBe(false)
  expect(isAcceptable(updateOf((doc) => doc.getMap('settings').set('name', new Y.Map())))).toBe(false)
  expect(isAcceptable(updateOf((doc) => doc.getMap('settings').set('name', new Y.Text())))).toBe(false)
  expect(isAcceptable(updateOf((doc) => doc.getText('t').insert(0, 'bold', { bold: true })))).toBe(false)
  expect(isAcceptable(updateOf((doc) => doc.getText('t').insertEmbed(0, { an: 'embed' })))).toBe(false)
})

test('a text inside a text is refused, also when each level comes in an update of its own', () => {
  const doc = new Y.Doc()
  addStories(doc, [{ title: 'one' }])
  const [fields] = [...doc.getMap<Y.Map<Y.Text>>('stories').values()]
  const before = Y.encodeStateVector(doc)
  fields?.get('title')?.setAttribute('title', new Y.Text('deeper'))
  expect(isAcceptable(Y.encodeStateAsUpdate(doc))).toBe(false)
  expect(isAcceptable(Y.encodeStateAsUpdate(doc, before))).toBe(false)
})

test('more values under one name than there can be people apart are refused, as many as that cost little', () => {
  const rivals = (count: number) => {
    const updates = Array.from({ length: count }, (_, at) =>
      updateOf((doc) => {
        doc.clientID = at + 1
        doc.getMap('settings').set('name', at)
      }),
    )
    return Y.mergeUpdates(updates)
  }
  expect(isAcceptable(rivals(1001))).toBe(false)
  const allowed = rivals(1000)
  expect(isAcceptable(allowed)).toBe(true)
  const begun = process.cpuUsage()
  const doc = new Y.Doc()
  Y.applyUpdate(doc, allowed)
  expect(process.cpuUsage(begun).user / 1000).toBeLessThan(500)
  expect(doc.getMap('settings').get('name')).toBe(999)
})

/** One run of one client, whose structs are what `write` gives. */
function written(count: number, write: (encoder: encoding.Encoder, at: number) => void): Uint8Array {
  return encoding.encode((encoder) => {
    for (const number of [1, count, 5, 0]) encoding.writeVarUint(encoder, number)
    for (let at = 0; at < count; at++) write(encoder, at)
    encoding.writeVarUint(encoder, 0)
  })
}

/** A value of the setting `name`. */
function value(encoder: encoding.Encoder, count: number): void {
  encoding.writeUint8(encoder, 8 | 32)
  encoding.writeVarUint(encoder, 1)
  encoding.writeVarString(encoder, 'settings')
  encoding.writeVarString(encoder, 'name')
  encoding.writeVarUint(encoder, count)
}

/** As lib0 reads them: after so many zeros each bit counts infinitely, and none is no number. */
const [infinite, uncountable] = [
  [...Array(147).fill(128), 1],
  [...Array(147).fill(128), 0],
]
const letter = [1, 120]

test.each<[string, number[]]>([
  ['who writes', [1, 1, ...infinite, 0, 4, 1, ...letter, ...letter, 0]],
  ['who wrote what stands before it', [1, 1, 5, 0, 132, ...infinite, 0, ...letter, 0]],
  ['when that was written', [1, 1, 5, 0, 132, 6, ...infinite, ...letter, 0]],
  ['who wrote what stands behind it', [1, 1, 5, 0, 68, ...infinite, 0, ...letter, 0]],
  ['who wrote what it belongs to', [1, 1, 5, 0, 4, 0, ...infinite, 0, ...letter, 0]],
  ['whose it deletes', [0, 1, ...infinite, 1, 0, 1]],
])('a number that Yjs would write without end is refused: %s', (_, update) => {
  const at = update.findIndex((byte, at) => byte === 128 && update[at + 1] === 128)
  const [before, behind] = [update.slice(0, at), update.slice(at + infinite.length)]
  expect(isAcceptable(Uint8Array.from([...before, 6, ...behind]))).toBe(true)
  expect(isAcceptable(Uint8Array.from(update))).toBe(false)
  expect(isAcceptable(Uint8Array.from([...before, ...uncountable, ...behind]))).toBe(false)
})

test('a run that Yjs cannot count, or a second one of the same client, is refused', () => {
  const run = [1, 5, 0, 4, 1, ...letter, ...letter]
  const next = [1, 5, 1, 132, 5, 0, ...letter]
  expect(isAcceptable(Uint8Array.from([1, ...run, 0]))).toBe(true)
  const uncounted = Uint8Array.from([1, ...uncountable, 5, 0, 0])
  expect(() => Y.applyUpdate(new Y.Doc(), uncounted)).toThrow()
  expect(isAcceptable(uncounted)).toBe(false)
  expect(isAcceptable(Uint8Array.from([2, ...run, ...next, 0]))).toBe(false)
})

test.each<[string, Uint8Array]>([
  [
    'maps inside each other, 60,000 deep',
    written(1, (encoder) => {
      value(encoder, 1)
      for (let depth = 0; depth < 60_000; depth++) encoding.writeUint8Array(encoder, Uint8Array.of(117, 1, 0))
      encoding.writeAny(encoder, null)
    }),
  ],
  ['a value of no length', written(1, (encoder) => value(encoder, 0))],
  ['as many values as nobody can count', written(1, (encoder) => value(encoder, 2 ** 40))],
  [
    'something that stands behind itself',
    written(1, (encoder) => {
      encoding.writeUint8Array(encoder, Uint8Array.of(4 | 128, 5, 0))
      encoding.writeVarString(encoder, 'text')
    }),
  ],
  [
    'something that stands before what its author writes later',
    written(1, (encoder) => {
      encoding.writeUint8Array(encoder, Uint8Array.of(4 | 64, 5, 9))
      encoding.writeVarString(encoder, 'text')
    }),
  ],
  [
    'a run up to the last number there is',
    written(2, (encoder) => {
      encoding.writeUint8(encoder, 0)
      encoding.writeVarUint(encoder, Number.MAX_SAFE_INTEGER)
    }),
  ],
  ['deletions nobody can count', Uint8Array.of(0, 1, 5, 255, 255, 255, 255, 15, 0, 1)],
  ['nothing but the largest byte', new Uint8Array(27).fill(255)],
])('%s: refused, and at once', (_, update) => {
  const begun = process.cpuUsage()
  expect(isAcceptable(update)).toBe(false)
  expect(process.cpuUsage(begun).user / 1000).toBeLessThan(300)
})
