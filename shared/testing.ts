/** Builders for tests: people and their devices, rounds without signatures, and chance that repeats itself. */
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import * as Y from 'yjs'
import type { Card } from './deck.ts'
import { Depositor } from './depositor.ts'
import { addRecord, recordsOf } from './document.ts'
import type { ParticipantId, RecordId, RoundId, StoryId } from './id.ts'
import { keysFor, keysFrom, type SessionKeys } from './keys.ts'
import { Ledger } from './ledger.ts'
import { Participant } from './participant.ts'
import { type RecordOf, recordIdOf } from './record.ts'
import type { RoundState, Vote } from './round.ts'

export function bytesOf(value: number, length = 32): Uint8Array {
  return new Uint8Array(length).fill(value)
}

export const ownerKeys = keysFrom('owner', bytesOf(1), new Uint8Array())
export const memberKeys = keysFor('member', ownerKeys)
export const observerKeys = keysFor('observer', ownerKeys)

export const cards: readonly Card[] = [
  { label: '1', number: 1 },
  { label: '5', number: 5 },
  { label: '8', number: 8 },
  { label: '?', special: true },
]

/** sfc32: small, fast, and the same sequence for the same seed everywhere. */
export class Chance {
  #a: number
  #b = 0x9e3779b9
  #c = 0x243f6a88
  #counter = 1

  constructor(seed: number) {
    this.#a = seed
    for (let at = 0; at < 12; at++) this.next()
  }

  /** 32 random bits. */
  next(): number {
    const value = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + value
    return value >>> 0
  }

  /** 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit)
  }

  happens(probability: number): boolean {
    return this.next() / 2 ** 32 < probability
  }

  pick<Value>(values: readonly [Value, ...Value[]] | readonly Value[]): Value {
    return values[this.below(values.length)] as Value
  }

  shuffled<Value>(values: readonly Value[]): Value[] {
    const shuffled = [...values]
    for (let at = shuffled.length - 1; at > 0; at--) {
      const other = this.below(at + 1)
      const value = shuffled[at] as Value
      shuffled[at] = shuffled[other] as Value
      shuffled[other] = value
    }
    return shuffled
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.next())
  }
}

/** One device of one person: a replica with the person's key. A second device of alice has her key, too. */
export class Device {
  readonly doc = new Y.Doc()
  readonly ledger: Ledger
  readonly participant: Participant
  readonly depositor: Depositor
  readonly seed: Uint8Array
  readonly #name: string

  constructor(name: string, keys: SessionKeys = memberKeys) {
    this.#name = name
    this.ledger = new Ledger(keys)
    this.seed = sha256(utf8ToBytes(name))
    this.participant = new Participant(keys, this.seed, this.ledger)
    this.depositor = new Depositor(keys, this.seed, this.ledger, this.participant)
    names.set(this.participant.id, name)
  }

  get id(): ParticipantId {
    return this.participant.id
  }

  publish(bytes: Uint8Array): RecordId {
    addRecord(this.doc, bytes)
    this.ledger.add(recordIdOf(bytes), bytes)
    return recordIdOf(bytes)
  }

  introduces(): this {
    this.publish(this.participant.introduce(this.#name))
    return this
  }

  starts(story?: StoryId): RoundId {
    return this.publish(this.participant.startRound(story, cards))
  }

  votes(round: RoundId, label: string, unsure = false): RecordId {
    return this.publish(this.participant.choose(round, { card: cardAt(label), unsure }))
  }

  takesBack(round: RoundId): RecordId {
    return this.publish(this.participant.choose(round, undefined))
  }

  reveals(round: RoundId): RecordId {
    return this.publish(this.participant.reveal(round))
  }

  /** Shows what this person owes the round, and says how many cards that were. */
  opens(round: RoundId): number {
    const owed = this.participant.owedOpens(this.round(round), this.state(round))
    for (const bytes of owed) this.publish(bytes)
    return owed.length
  }

  settles(round: RoundId, label: string): RecordId {
    return this.publish(this.participant.settle(this.round(round), cardAt(label)))
  }

  admits(round: RoundId, ...seals: RecordId[]): RecordId {
    return this.publish(this.participant.admit(round, seals))
  }

  round(id: RoundId): RecordOf<'round'> {
    const round = this.ledger.round(id)
    if (!round) throw new Error(`${this.#name} knows no such round`)
    return round
  }

  state(round: RoundId): RoundState {
    return this.ledger.resolve(this.round(round))
  }

  /** What this person sees of a revealed round, by name: `{ alice: 'counted 5', bob: 'late' }`. */
  sees(round: RoundId): Record<string, string> {
    const state = this.state(round)
    if (state.phase === 'voting')
      return Object.fromEntries([...state.voted].map((id) => [nameOf(id), 'voted']))
    return Object.fromEntries([...state.votes].map(([id, vote]) => [nameOf(id), wordsFor(vote)]))
  }

  /** Takes over everything the others have. */
  hears(...others: Device[]): void {
    for (const other of others) {
      Y.applyUpdate(this.doc, Y.encodeStateAsUpdate(other.doc, Y.encodeStateVector(this.doc)))
    }
    this.reads()
  }

  /** Hands the document's records to the ledger, as the client does after every change. */
  reads(): void {
    for (const [key, bytes] of recordsOf(this.doc).entries()) {
      if (bytes instanceof Uint8Array) this.ledger.add(key, bytes)
    }
  }
}

/** Everybody has what anybody has. */
export function meet(...devices: Device[]): void {
  const [first, ...others] = devices
  first?.hears(...others)
  for (const other of others) if (first) other.hears(first)
}

function cardAt(label: string): number {
  const at = cards.findIndex((card) => card.label === label)
  if (at < 0) throw new Error(`No card says ${label}`)
  return at
}

const names = new Map<ParticipantId, string>()

function nameOf(id: ParticipantId): string {
  return names.get(id) ?? id
}

export function wordsFor(vote: Vote): string {
  switch (vote.state) {
    case 'counted':
      return `counted ${cards[vote.card]?.label}${vote.unsure ? ', unsure' : ''}`
    case 'void':
      return ['void', ...vote.cards.map((card) => cards[card]?.label)].join(' ')
    case 'sealed':
    case 'unopenable':
    case 'late':
      return vote.state
  }
}
