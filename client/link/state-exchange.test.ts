import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { participantId } from '../../shared/id.ts'
import type { SessionKeys } from '../../shared/keys.ts'
import { PartCollector } from '../../shared/parts.ts'
import { bytesOf, memberKeys, observerKeys } from '../../shared/testing.ts'
import type { ConnectionId } from '../../shared/wire.ts'
import type { Presence } from './presence.ts'
import { StateExchange } from './state-exchange.ts'
import { decodeQuestion, decodeStatePart, encodeAnswer, encodeQuestion } from './state-messages.ts'

const someone = participantId(bytesOf(7, 32))
/** In milliseconds: from one device to another, and as long as one waits for an answer. */
const [travel, patience] = [5, 3_000]

let devices: Device[] = []

beforeEach(() => {
  vi.useFakeTimers()
  devices = []
})

afterEach(() => {
  for (const { exchange } of devices) exchange.stop()
  vi.useRealTimers()
})

interface Sent {
  readonly to: ConnectionId
  readonly content: Uint8Array
}

/** Its place in `devices` is its connection. */
class Device {
  readonly doc = new Y.Doc()
  readonly sent: Sent[] = []
  readonly connection: ConnectionId
  readonly exchange: StateExchange
  candidates: Device[] = []
  /** What the others have heard of it. */
  presence: Presence = { participant: someone }
  /** Instead of the exchange, when this device is up to something. */
  hears: (from: ConnectionId, content: Uint8Array) => void

  constructor(keys: SessionKeys = memberKeys) {
    this.connection = devices.push(this) - 1
    this.exchange = new StateExchange({
      keys,
      doc: this.doc,
      others: () => this.candidates.map(({ connection, presence }) => [connection, presence]),
      digest: () => bytesOf(1, 8),
      send: (content, to) => this.sends(content, to),
      apply: (update) => Y.applyUpdate(this.doc, update),
    })
    this.hears = (from, content) => this.exchange.hear(from, content)
  }

  sends(content: Uint8Array, to: ConnectionId): void {
    this.sent.push({ to, content })
    setTimeout(() => devices[to]?.hears(this.connection, content), travel)
  }

  /** Says that it has this, whether or not it does. */
  claims(to: Device, state: ReadonlyMap<number, number>): void {
    const stateVector = Y.encodeStateVector(new Map(state))
    for (const part of encodeQuestion({ nonce: bytesOf(3, 16), stateVector })) this.sends(part, to.connection)
  }

  writes(name: string, bytes = 100): this {
    for (let at = 0; at * 10_000 < bytes; at++) {
      const length = Math.min(10_000, bytes - at * 10_000)
      this.doc.getMap('records').set(`${name} ${at}`, bytesOf(at, length))
    }
    return this
  }

  has(other: Device): boolean {
    const [own, all] = [Y.decodeStateVector(Y.encodeStateVector(this.doc)), Y.encodeStateVector(other.doc)]
    return [...Y.decodeStateVector(all)].every(([client, end]) => (own.get(client) ?? 0) >= end)
  }

  questionsTo(other: Device): number {
    return this.#count('question', other)
  }

  answersTo(other: Device): number {
    return this.#count('answer', other)
  }

  #count(kind: 'question' | 'answer', other: Device): number {
    const parts = this.sent.filter(({ to }) => to === other.connection)
    return parts.filter(({ content }) => {
      const part = decodeStatePart(content)
      return part?.kind === kind && part.index === 0
    }).length
  }
}

/** Answers each question with this. */
function answering(device: Device, answer: (nonce: Uint8Array) => Uint8Array[]): void {
  device.hears = (from, content) => {
    const part = decodeStatePart(content)
    const bytes = part?.kind === 'question' && new PartCollector().add(part)
    const question = bytes ? decodeQuestion(bytes) : undefined
    if (question) for (const part of answer(question.nonce)) device.sends(part, from)
  }
}

async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds)
}

test('a newcomer gets a large document piece by piece, and soon', async () => {
  const alice = new Device().writes('story', 3_000_000)
  const nora = new Device()
  nora.candidates = [alice]
  nora.exchange.ask()
  await pass(patience)
  expect(nora.has(alice)).toBe(true)
  expect(alice.answersTo(nora)).toBeGreaterThan(5)
})

test('ten newcomers at once get a large document from one member, within what a relay bears', async () => {
  const alice = new Device().writes('story', 2_000_000)
  const newcomers = Array.from({ length: 10 }, () => new Device())
  const perSecond: number[] = []
  for (const nora of newcomers) {
    nora.candidates = [alice]
    nora.exchange.ask()
  }
  for (let second = 0; second < 10; second++) {
    const before = alice.sent.length
    await pass(1000)
    perSecond.push(alice.sent.length - before)
  }
  expect(newcomers.filter((nora) => nora.has(alice))).toHaveLength(10)
  expect(Math.max(...perSecond)).toBeLessThan(130)
})

test('two who each lack something give it to each other', async () => {
  const alice = new Device().writes('alice')
  const bob = new Device().writes('bob')
  alice.candidates = [bob]
  alice.exchange.ask()
  await pass(1000)
  expect([alice.has(bob), bob.has(alice)]).toEqual([true, true])
})

test('whoever says that they have more while another is asked is asked next', async () => {
  const [alice, bob] = [new Device().writes('alice', 2_000_000), new Device().writes('bob')]
  const nora = new Device()
  nora.candidates = [alice]
  nora.exchange.ask()
  bob.candidates = [nora]
  bob.exchange.ask()
  await pass(patience)
  expect([nora.has(alice), nora.has(bob)]).toEqual([true, true])
})

test('when one stays silent the next is asked', async () => {
  const [alice, bob, nora] = [new Device(), new Device().writes('bob'), new Device()]
  alice.hears = () => {}
  nora.candidates = [alice, bob]
  nora.exchange.ask()
  await pass(patience - 100)
  expect(nora.has(bob)).toBe(false)
  await pass(200)
  expect(nora.has(bob)).toBe(true)
})

test('when the one who is asked leaves the next is asked at once', async () => {
  const [alice, bob, nora] = [new Device(), new Device().writes('bob'), new Device()]
  alice.hears = () => {}
  nora.candidates = [alice, bob]
  nora.exchange.ask()
  nora.exchange.left(alice.connection)
  await pass(100)
  expect(nora.has(bob)).toBe(true)
})

const someUpdate = () => Y.encodeStateAsUpdate(new Device().writes('wrong').doc)
const nested = new Y.Doc()
nested.getMap('settings').set('name', new Y.Array())

test.each([
  ['to another question', () => encodeAnswer(memberKeys, bytesOf(9, 16), false, someUpdate())],
  ['of an observer', (nonce: Uint8Array) => encodeAnswer(observerKeys, nonce, false, someUpdate())],
  [
    'that the gate does not take',
    (nonce: Uint8Array) => encodeAnswer(memberKeys, nonce, false, Y.encodeStateAsUpdate(nested)),
  ],
])('an answer %s is ignored, and the next is asked', async (_, answer) => {
  const [mallory, bob, nora] = [new Device(), new Device().writes('bob'), new Device()]
  answering(mallory, answer)
  nora.candidates = [mallory, bob]
  nora.exchange.ask()
  await pass(patience + 100)
  expect(mallory.answersTo(nora)).toBe(1)
  expect(nora.doc.getMap('records').get('wrong 0')).toBe(undefined)
  expect(nora.doc.store.clients.size).toBe(1)
  expect(nora.has(bob)).toBe(true)
})

test('an observer asks and does not answer', async () => {
  const [alice, otto] = [new Device().writes('alice'), new Device(observerKeys)]
  otto.candidates = [alice]
  otto.exchange.ask()
  await pass(100)
  expect(otto.has(alice)).toBe(true)
  alice.candidates = [otto]
  alice.exchange.ask()
  await pass(100)
  expect(otto.answersTo(alice)).toBe(0)
})

test('a flood of questions with made-up clocks costs few answers', async () => {
  const alice = new Device().writes('alice', 50_000)
  const mallory = new Device(observerKeys)
  mallory.hears = () => {}
  for (let turn = 1; turn <= 2000; turn++) {
    mallory.claims(alice, new Map([[7, turn]]))
    await pass(5)
  }
  // One for each rest, in ten seconds.
  expect(alice.answersTo(mallory)).toBeGreaterThan(0)
  expect(alice.answersTo(mallory)).toBeLessThanOrEqual(6)
})

test('whoever says that they took a little of each answer is not sent all of it again and again', async () => {
  const alice = new Device().writes('alice', 2_000_000)
  const mallory = new Device(observerKeys)
  mallory.hears = () => {}
  for (let turn = 1; turn <= 2000; turn++) {
    mallory.claims(alice, new Map([[alice.doc.clientID, turn % 200]]))
    await pass(5)
  }
  expect(alice.sent.length).toBeLessThan(100)
})

test('many who ask at once cost no more than one after the other', async () => {
  const alice = new Device().writes('alice', 500_000)
  const intruders = Array.from({ length: 40 }, () => new Device(observerKeys))
  for (const intruder of intruders) intruder.hears = () => {}
  for (let turn = 1; turn <= 100; turn++) {
    for (const intruder of intruders) intruder.claims(alice, new Map([[7, turn]]))
    await pass(50)
  }
  expect(alice.sent.length).toBeGreaterThan(100)
  expect(alice.sent.length).toBeLessThan(600)
})

test('beside a flood of questions a newcomer gets the document all the same', async () => {
  const alice = new Device().writes('alice', 2_000_000)
  const [mallory, nora] = [new Device(observerKeys), new Device()]
  mallory.hears = () => {}
  nora.candidates = [alice]
  nora.exchange.ask()
  for (let turn = 1; turn <= 600; turn++) {
    mallory.claims(alice, new Map([[7, turn]]))
    await pass(5)
  }
  expect(nora.has(alice)).toBe(true)
})

test('an observer who always says that they have more does not keep a newcomer from the document', async () => {
  const alice = new Device().writes('alice', 2_000_000)
  const [mallory, nora] = [new Device(observerKeys), new Device()]
  mallory.hears = () => {}
  nora.candidates = [alice]
  nora.exchange.ask()
  for (let turn = 1; turn <= 200; turn++) {
    mallory.claims(nora, new Map([[7, turn]]))
    await pass(15)
  }
  expect(nora.has(alice)).toBe(true)
  // After the document, and then they are known to stay silent.
  await pass(patience)
  for (let turn = 1; turn <= 200; turn++) {
    mallory.claims(nora, new Map([[8, turn]]))
    await pass(5)
  }
  expect(nora.questionsTo(mallory)).toBeLessThanOrEqual(3)
})

test('what somebody was sent is sent again after a rest, when it did not arrive', async () => {
  const [alice, nora] = [new Device().writes('alice', 50_000), new Device()]
  const { hears } = nora
  nora.hears = () => {}
  nora.candidates = [alice]
  nora.exchange.ask()
  await pass(patience + 100)
  nora.hears = hears
  nora.exchange.ask()
  await pass(100)
  expect(nora.has(alice)).toBe(true)
})

test('whoever stayed silent is not asked for saying that they have more', async () => {
  const alice = new Device().writes('alice', 2_000_000)
  const [mallory, nora] = [new Device(observerKeys), new Device()]
  mallory.hears = () => {}
  nora.candidates = [mallory, alice]
  nora.exchange.ask()
  await pass(patience + 20)
  for (let turn = 1; nora.questionsTo(alice) < 3; turn++) {
    mallory.claims(nora, new Map([[7, turn]]))
    await pass(5)
  }
  await pass(patience)
  expect(nora.has(alice)).toBe(true)
  expect(nora.questionsTo(mallory)).toBe(1)
})

test('whoever has all but a deletion gets it after a rest', async () => {
  const [alice, nora] = [new Device().writes('alice', 2_000_000), new Device()]
  nora.candidates = [alice]
  nora.exchange.ask()
  await pass(patience)
  for (let turn = 0; turn < 2; turn++) {
    alice.doc.getMap('records').delete(`alice ${turn}`)
    nora.exchange.ask()
    await pass(patience)
    expect(nora.doc.getMap('records').has(`alice ${turn}`)).toBe(false)
  }
})

test('a question that has waited for too long, or behind too many, is not answered', async () => {
  const [alice, bob] = [new Device().writes('alice', 500_000), new Device().writes('bob')]
  const intruders = Array.from({ length: 100 }, () => new Device(observerKeys))
  for (const intruder of intruders) {
    intruder.hears = () => {}
    intruder.claims(alice, new Map())
    intruder.claims(bob, new Map())
  }
  await pass(10_000)
  const answered = (device: Device) => intruders.filter((other) => device.answersTo(other) > 0).length
  expect(answered(alice)).toBeGreaterThan(20)
  expect(answered(alice)).toBeLessThan(45)
  expect(answered(bob)).toBe(65)
})

test('of long questions that are begun and not ended, few are kept, and one of each', async () => {
  const alice = new Device().writes('alice')
  const stateVector = Y.encodeStateVector(
    new Map(Array.from({ length: 9000 }, (_, at) => [2 ** 32 - at, 2 ** 40])),
  )
  const questions = Array.from({ length: 40 }, () => encodeQuestion({ nonce: bytesOf(3, 16), stateVector }))
  const askers = questions.map(() => new Device(observerKeys))
  for (const at of [0, 1]) {
    for (const [asker, parts] of at === 0 ? questions.entries() : [...questions.entries()].reverse()) {
      expect(parts).toHaveLength(2)
      askers[asker]?.sends(parts[at] as Uint8Array, alice.connection)
    }
    await pass(patience)
  }
  expect(askers.map((asker) => alice.answersTo(asker))).toEqual([...Array(8).fill(0), ...Array(32).fill(1)])

  const bob = new Device()
  for (const [question, part] of [
    [0, 0],
    [1, 0],
    [0, 1],
  ] as const) {
    bob.sends(questions[question]?.[part] as Uint8Array, alice.connection)
  }
  await pass(patience)
  expect(alice.answersTo(bob)).toBe(0)
  bob.sends(questions[0]?.[0] as Uint8Array, alice.connection)
  await pass(patience)
  expect(alice.answersTo(bob)).toBe(1)
})

test('what a document holds by now is answered, also when the same was asked before', async () => {
  const [alice, nora, otto] = [new Device().writes('alice'), new Device(), new Device()]
  for (const newcomer of [nora, otto]) {
    newcomer.candidates = [alice]
    newcomer.exchange.ask()
    await pass(50)
    expect(newcomer.has(alice)).toBe(true)
    alice.writes('more')
  }
})

test('who has something else is asked first, and who only follows last', () => {
  const nora = new Device()
  const [observer, same, other] = [new Device(), new Device(), new Device()]
  observer.presence = { participant: undefined, digest: bytesOf(2, 8) }
  same.presence = { participant: someone, digest: bytesOf(1, 8) }
  other.presence = { participant: someone, digest: bytesOf(2, 8) }
  nora.candidates = [observer, same, other]
  for (const silent of nora.candidates) silent.hears = () => {}
  nora.exchange.ask()
  vi.advanceTimersByTime(3 * patience)
  const asked = [...new Set(nora.sent.map(({ to }) => to))]
  expect(asked).toEqual([other.connection, same.connection, observer.connection])
})
