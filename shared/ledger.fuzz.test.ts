import { createHash, createPublicKey, verify } from 'node:crypto'
import { vi } from 'vitest'
import { tellRounds } from './chronicle.ts'
import { equalBytes } from './codec.ts'
import { Depositor } from './depositor.ts'
import { noBox } from './escrow.ts'
import { fuzz } from './fuzz.testing.ts'
import { type ParticipantId, type RecordId, recordId } from './id.ts'
import { Ledger } from './ledger.ts'
import { mutantOf } from './mutants.testing.ts'
import { Participant } from './participant.ts'
import { decodeRecord, encodeOpen, encodeRecord, encodeRelease, recordIdOf, type Signed } from './record.ts'
import { bytesOf, type Chance, cards, Device, meet, memberKeys } from './testing.ts'

// The same signatures and hashes from the platform, ten times as fast: every mutant is verified.
vi.mock('./keys.ts', async (original) => ({
  ...(await original<typeof import('./keys.ts')>()),
  verify: (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) => {
    const x = Buffer.from(publicKey).toString('base64url')
    try {
      const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
      return verify(null, message, key, signature)
    } catch {
      return false
    }
  },
}))

const people = ['alice', 'bob', 'carol'].map((name) => new Device(name).introduces()) as [
  Device,
  Device,
  Device,
]
const valid = realRecords()
/** So that only the foreign ones are verified each time. */
const verified = (() => {
  const ledger = new Ledger(memberKeys)
  for (const bytes of valid) ledger.add(recordIdOf(bytes), bytes)
  for (const record of valid.flatMap((bytes) => decodeRecord(bytes) ?? [])) ledger.counts(record)
  return ledger.signatures.verified()
})()

/** What a person can state of a session is not much; what they can put into it is anything. */
fuzz(
  'records of any content, validly signed or not, come to the same in every order',
  { inputs: 60, kinds: ['rounds'], slowest: 3000 },
  (chance) => {
    const foreign = Array.from({ length: 16 }, () =>
      chance.happens(0.5) ? mutantOf(valid, chance) : signedNonsense(chance),
    )
    for (const bytes of foreign) canonical(bytes)
    const records = [...valid, ...foreign, ...chance.shuffled(foreign).slice(0, 5)]
    const one = told(records)
    if (told(chance.shuffled(records)) !== one) throw new Error('The order of arrival decides')
    return one.includes('"phase":"') ? 'rounds' : 'no round'
  },
)

fuzz(
  'bytes are one record, written in one way, or none',
  { inputs: 6_000, kinds: ['record', 'none'] },
  (chance) => (canonical(mutantOf(valid, chance)) ? 'record' : 'none'),
)

function canonical(bytes: Uint8Array): boolean {
  const record = decodeRecord(bytes)
  if (!record) return false
  if (record.kind === 'open') return sameBytes(encodeOpen(record), bytes)
  if (record.kind === 'release') return sameBytes(encodeRelease(record), bytes)
  const body = encodeRecord(memberKeys.session, record, bytesOf(1)).subarray(0, -64)
  return sameBytes(body, bytes.subarray(0, -64))
}

function sameBytes(written: Uint8Array, read: Uint8Array): boolean {
  if (!equalBytes(written, read)) throw new Error('A record has two ways to be written')
  return true
}

/** Everything the views ask a ledger for. */
function told(records: readonly Uint8Array[]): string {
  const ledger = new Ledger(memberKeys)
  ledger.signatures.trust(verified)
  for (const bytes of records) ledger.add(recordIdOf(bytes), bytes)
  const topics = ledger.topics().sort()
  const all = topics.map((topic) => ({
    rounds: ledger
      .allRounds(topic)
      .map((round) => [round.id, ledger.withdrawn(round.id), ledger.resolve(round)]),
    current: ledger.current(topic)?.id,
    estimates: ledger
      .estimatesOf(topic)
      .map(({ record }) => record.id)
      .sort(),
    chronicle: [...tellRounds(ledger, topic, new Map())].map(({ tally, movement }) => [tally, movement]),
  }))
  const persons = people.map(({ id }) => [ledger.profile(id)?.name, ledger.mayStart(id)])
  const offices = [ledger.facilitators(), ledger.tookOver(), ledger.rules(), ledger.profiles()]
  const [{ seed }] = people
  const me = new Participant(memberKeys, seed, ledger)
  const depositor = new Depositor(memberKeys, seed, ledger, me)
  for (const id of [...me.roundsToOpen(), ...ledger.roundIds()]) depositor.isUnopened(id) // guesses about what to ask for
  const owed = ledger.roundIds().sort()
  return JSON.stringify([all, persons, offices, owed], (_, value: unknown) => {
    if (value instanceof Map) return [...value].sort(byText)
    return value instanceof Set ? [...value].sort() : value
  })
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1
}

/** What a member can sign who means no good: numbers at their limits, circles, what is not there, and everything at once. */
function signedNonsense(chance: Chance): Uint8Array {
  const device = chance.pick(people)
  const known = valid.map(recordIdOf)
  const id = (): RecordId => (chance.happens(0.8) ? chance.pick(known) : recordId(chance.bytes(16)))
  const ids = () => Array.from({ length: chance.happens(0.05) ? 512 : chance.below(6) }, id)
  const sorted = () => [...new Set(ids())].sort()
  const counter = chance.pick([0, 1, 2, 3, 2 ** 32, Number.MAX_SAFE_INTEGER])
  const author: ParticipantId = device.id
  const statement = chance.pick<Signed>([
    { kind: 'round', author, story: undefined, cards, previous: id(), rules: id() },
    { kind: 'seal', author, round: id(), counter, commitment: bytesOf(chance.below(2)), box: noBox },
    { kind: 'reveal', author, round: id(), cut: sorted(), seen: chance.happens(0.5) ? [] : sorted() },
    { kind: 'admit', author, round: id(), seals: sorted() },
    { kind: 'estimate', author, story: undefined, round: id(), card: chance.below(256), replaces: sorted() },
    { kind: 'rules', author, who: 'facilitators', auto: true, escrow: false, replaces: sorted() },
    { kind: 'withdraw', author, record: id() },
    { kind: 'grant', author, participant: chance.pick(people).id, role: 'facilitator' },
    { kind: 'profile', author, counter, name: '__proto__', observer: true, membership: bytesOf(1, 64) },
  ])
  return encodeRecord(memberKeys.session, statement, device.seed)
}

function realRecords(): Uint8Array[] {
  const [alice, bob, carol] = people as [Device, Device, Device]
  meet(...people)
  for (let turn = 0; turn < 3; turn++) {
    const round = alice.starts()
    meet(...people)
    alice.votes(round, '5')
    bob.votes(round, '8', true)
    carol.votes(round, turn === 0 ? '5' : '?')
    carol.takesBack(round)
    meet(...people)
    if (turn === 2) break
    bob.reveals(round)
    if (turn === 1) alice.reveals(round)
    meet(...people)
    for (const device of people) device.opens(round)
    meet(...people)
    alice.settles(round, '5')
    if (turn === 1) bob.settles(round, '8')
    meet(...people)
  }
  const records: Uint8Array[] = []
  for (const bytes of alice.doc.getMap('records').values())
    if (bytes instanceof Uint8Array) records.push(bytes)
  // Always in one order: a seed must always make the same.
  const name = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  return records.sort((a, b) => (name(a) < name(b) ? -1 : 1))
}
