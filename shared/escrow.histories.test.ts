import { expect, test, vi } from 'vitest'
import { recordsOf } from './document.ts'
import { type Asker, type Deposit, encodeReleased } from './escrow.ts'
import { base32, type RoundId } from './id.ts'
import { Ledger } from './ledger.ts'
import { decodeRecord, encodeRelease } from './record.ts'
import { Chance, cards, Device, meet, memberKeys, wordsFor } from './testing.ts'

// The same Ed25519 from the platform, fourteen times as fast: thousands of statements are signed here, and read by several.
vi.mock('@noble/ed25519', () => import('./native-ed25519.testing.ts'))

const histories = Number(process.env.ESCROW_HISTORIES ?? 40)
const only = process.env.SEED

/** A store of keys, as `escrow-tables.ts` in the relay has it. */
class Keys {
  readonly #kept = new Map<string, Map<string, Deposit>>()
  readonly #released = new Map<string, { asker: Asker; keys: Deposit[] }>()

  deposit(deposit: Deposit): void {
    const round = base32(deposit.round)
    if (this.#released.has(round)) return
    const kept = this.#kept.get(round) ?? new Map<string, Deposit>()
    for (const [seal, { key }] of kept) {
      if (deposit.replaces.some((old) => base32(old) === base32(key))) kept.delete(seal)
    }
    this.#kept.set(round, kept.set(base32(deposit.seal), deposit))
  }

  release({ round: name, asker }: { round: Uint8Array; asker: Asker }) {
    const round = base32(name)
    const known = this.#released.get(round)
    const released = known ?? { asker, keys: [...(this.#kept.get(round)?.values() ?? [])] }
    this.#released.set(round, released)
    return released
  }
}

const happened = { releases: 0, peeks: 0, openedWithoutVoter: 0, unopened: 0, votedTwice: 0 }

test(`in ${histories} histories with escrow no card opens before a reveal or a release, and all replicas agree`, () => {
  for (const seed of only ? [Number(only)] : Array(histories).keys()) play(seed)
  if (only) return
  console.info('Of', histories, 'histories with escrow:', happened)
  for (const [name, count] of Object.entries(happened)) expect(count, name).toBeGreaterThan(0)
}, 180_000)

function play(seed: number): void {
  const chance = new Chance(seed + 1)
  const people = ['alice', 'bob', 'carol', 'dave'].map((name) => new Device(name).introduces())
  const [alice] = people as [Device]
  const store = new Keys()
  const rounds = [alice.starts()]
  meet(...people)
  /** Who was here when they voted and never opens a card themselves. */
  const absent = chance.pick(people)
  const told = (text: string) => `SEED=${seed}: ${text}`
  for (let step = 0; step < 16; step++) {
    const person = chance.pick(people)
    const round = chance.pick(rounds.filter((id) => person.ledger.round(id)))
    const act = chance.below(100)
    if (act < 25) meet(person, chance.pick(people))
    else if (act < 30) rounds.push(person.starts())
    else if (act < 75) {
      if (person.participant.choiceIn(person.round(round))) happened.votedTwice++
      if (chance.happens(0.12)) person.takesBack(round)
      else person.votes(round, chance.pick(cards).label)
      const own = person.depositor.deposit(person.round(round), chance.happens(0.5))
      if (own && chance.happens(0.8)) store.deposit(own.deposit)
    } else if (act < 88) person.reveals(round)
    else {
      const ask = person.depositor.askForRelease(round)
      if (!ask.asker.reveal && chance.happens(0.6)) continue
      happened.releases++
      if (!ask.asker.reveal) happened.peeks++
      const { asker, keys } = store.release(ask)
      expect(
        encodeReleased({ round: ask.round, asker, salt: new Uint8Array(16), keys }).length,
        told('too long'),
      ).toBeLessThan(65_000)
      const reader = chance.happens(0.7) ? person : chance.pick(people)
      reader.publish(encodeRelease({ kind: 'release', round, ...asker, keys }))
    }
    for (const each of people) if (each !== absent) for (const id of known(each, rounds)) each.opens(id)
    for (const each of people) staysFaceDown(each, rounds, told)
  }
  for (let pass = 0; pass < 2; pass++) {
    meet(...chance.shuffled(people))
    for (const each of people) if (each !== absent) for (const id of rounds) each.opens(id)
  }
  meet(...chance.shuffled(people))
  for (const id of rounds) {
    const seen = people.map((person) => JSON.stringify(Object.entries(person.sees(id)).sort()))
    expect(new Set(seen).size, told(seen.join(' | '))).toBe(1)
    expect(JSON.stringify(sorted(afresh(chance, alice, id))), told('another order')).toBe(seen[0])
    const state = alice.state(id)
    if (state.phase === 'voting') continue
    const vote = state.votes.get(absent.id)
    if (vote?.state === 'counted') happened.openedWithoutVoter++
    if (vote?.state === 'sealed') happened.unopened++
    expect(state.revealedBy.length, told('revealed by nobody')).toBeGreaterThan(0)
  }
}

/** Before a reveal or a release is on a replica, its voters' cards lie face down there: nobody of its round has opened. */
function staysFaceDown(device: Device, rounds: RoundId[], told: (text: string) => string): void {
  const records = [...recordsOf(device.doc).values()].flatMap((bytes) =>
    bytes instanceof Uint8Array ? (decodeRecord(bytes) ?? []) : [],
  )
  for (const id of known(device, rounds)) {
    if (device.ledger.isRevealed(id)) continue
    expect(device.state(id).phase, told('revealed')).toBe('voting')
    const seals = new Set(device.ledger.of(id, 'seal').map((seal) => seal.id))
    const opens = records.filter((record) => record.kind === 'open' && seals.has(record.seal))
    expect(opens, told('an Open before any reveal or release')).toEqual([])
  }
}

function known(device: Device, rounds: RoundId[]): RoundId[] {
  return rounds.filter((id) => device.ledger.round(id))
}

/** The same records, in another order, in a ledger that has seen none of them. */
function afresh(chance: Chance, device: Device, id: RoundId): Record<string, string> {
  const ledger = new Ledger(memberKeys)
  for (const [key, bytes] of chance.shuffled([...recordsOf(device.doc).entries()])) {
    if (bytes instanceof Uint8Array) ledger.add(key, bytes)
  }
  const round = ledger.round(id)
  const state = round && ledger.resolve(round)
  if (!state) return {}
  if (state.phase === 'voting') return device.sees(id)
  const names = Object.keys(device.sees(id))
  return Object.fromEntries([...state.votes.values()].map((vote, at) => [names[at] ?? '', wordsFor(vote)]))
}

function sorted(words: Record<string, string>): [string, string][] {
  return Object.entries(words).sort()
}
