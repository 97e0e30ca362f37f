import { createHash } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { announced, coveredSeals, makeHistory, openedBy, stories } from './history.testing.ts'
import { base32, type ParticipantId, type RecordId } from './id.ts'
import type { RecordOf, StoredRecord } from './record.ts'
import { resolve } from './round.testing.ts'
import { inChainOrder, type RoundState, type Vote } from './round.ts'
import { takesBack } from './seal.ts'
import { Chance } from './testing.ts'

// The same SHA-256 from the platform, ten times as fast: millions of commitments are checked here.
vi.mock('@noble/hashes/sha2.js', async (importOriginal) => {
  const noble = await importOriginal<typeof import('@noble/hashes/sha2.js')>()
  const native = (bytes: Uint8Array) => Uint8Array.from(createHash('sha256').update(bytes).digest())
  return { ...noble, sha256: Object.assign(native, noble.sha256) }
})

const histories = Number(process.env.HISTORIES ?? 100_000)
const only = process.env.SEED

/** How often what happened, so that the histories are known to be worth something. */
const seen = {
  counted: 0,
  sealed: 0,
  late: 0,
  void: 0,
  settled: 0,
  conflict: 0,
  concurrentReveals: 0,
  repeatedReveals: 0,
  admitted: 0,
  takenBack: 0,
  voidedAfterwards: 0,
  overtaken: 0,
  parallelRounds: 0,
  twoStories: 0,
  released: 0,
  peeked: 0,
  openedByKey: 0,
  unopenable: 0,
}

/** They need several unlikely things in one round. */
const rare = new Set(['voidedAfterwards', 'overtaken', 'unopenable', 'peeked', 'openedByKey'])

test(`in ${histories} random histories every replica comes to the same, correct result`, () => {
  for (const seed of only ? [Number(only)] : Array(histories).keys()) {
    try {
      examine(seed)
    } catch (error) {
      const again = `SEED=${seed} npx vitest run --project shared round.histories`
      throw new Error(`${again}: ${error instanceof Error ? error.message : error}`, { cause: error })
    }
  }
  if (only) return
  console.info('Of', histories, 'histories:', seen)
  for (const [name, count] of Object.entries(seen)) {
    expect(count, name).toBeGreaterThan(rare.has(name) ? histories / 10_000 : histories / 100)
  }
}, 180_000)

function examine(seed: number): void {
  const chance = new Chance(seed)
  const records = makeHistory(chance)
  const repeated = chance.shuffled([...records, ...records.filter(() => chance.happens(0.3))])
  const part = chance.pick([records, repeated]).slice(0, chance.below(repeated.length))
  const happened = new Set<keyof typeof seen>()

  for (const round of records) {
    if (round.kind !== 'round') continue
    const state = resolve(round, records)
    holds(told(state) === told(resolve(round, repeated)), 'the order of arrival, or a repetition, decides')
    checkVotes(round, records, state, happened)
    checkGrowth(round, part, records, happened)
    if (state.phase === 'settled' || state.phase === 'conflict') happened.add(state.phase)
  }
  for (const story of stories) {
    const rounds = (all: readonly StoredRecord[]) =>
      all.filter((record): record is RecordOf<'round'> => record.kind === 'round' && record.story === story)
    const [current] = inChainOrder(rounds(records))
    holds(current?.id === inChainOrder(rounds(repeated))[0]?.id, 'replicas go on with different rounds')
    const previous = rounds(records).map((round) => round.previous)
    if (new Set(previous).size < previous.length) happened.add('parallelRounds')
    if (story !== stories[0] && current) happened.add('twoStories')
  }
  for (const name of happened) seen[name]++
}

/** Compares every vote with what the third rule of ARCHITECTURE.md says of it. */
function checkVotes(
  round: RecordOf<'round'>,
  records: readonly StoredRecord[],
  state: RoundState,
  happened: Set<keyof typeof seen>,
): void {
  const reveals = ofRound(round, records, 'reveal')
  const all = new Map(records.map((record) => [record.id, record]))
  const opening = ofRound(round, records, 'release').filter((release) =>
    openedBy(release).some((seal) => all.has(seal)),
  )
  holds(
    (state.phase === 'voting') === (reveals.length + opening.length === 0),
    'a reveal or a release, and nothing else, reveals',
  )
  if (state.phase === 'voting') return
  if (reveals.filter((reveal) => reveal.seen.length === 0).length > 1) happened.add('concurrentReveals')
  if (reveals.some((reveal) => reveal.seen.length > 0)) happened.add('repeatedReveals')
  if (ofRound(round, records, 'admit').length > 0) happened.add('admitted')

  const peeks = opening.filter((release) => !announced(release, all))
  if (opening.length > 0) happened.add('released')
  if (peeks.length > 0) happened.add('peeked')
  const peekers = peeks.map((release) => release.author)
  holds(told(new Set(state.withoutReveal)) === told(new Set(peekers)), 'somebody peeked unseen')

  const byKey = new Set(opening.flatMap(openedBy))
  const keyed = new Set(opening.flatMap(({ keys }) => keys.map(({ seal }) => base32(seal) as RecordId)))
  const covered = coveredSeals(round.id, records)
  holds(told(state.cut) === told(covered), 'the cut is more or less than reveals and admissions cover')
  const seals = ofRound(round, records, 'seal')
  for (const voter of new Set(seals.map((seal) => seal.author))) {
    const own = seals.filter((seal) => seal.author === voter)
    const counting = own.filter((seal) => covered.has(seal.id))
    const top = Math.max(...counting.map((seal) => seal.counter))
    const decisive = own.filter((seal) => seal.counter === top)
    const vote = state.votes.get(voter)
    if (decisive.length > 1) {
      holds(vote?.state === 'void', 'two seals with one counter are not void')
    } else if (decisive[0] && !takesBack(decisive[0])) {
      const open = records.find((record) => record.kind === 'open' && record.seal === decisive[0]?.id)
      const { id } = decisive[0]
      const closed = keyed.has(id) ? 'unopenable' : 'sealed'
      if (open?.kind !== 'open' && byKey.has(id)) {
        happened.add('openedByKey')
        holds(vote?.state === 'counted', 'a released key did not open its box')
      } else {
        const expected = open?.kind === 'open' ? `counted ${open.card}` : closed
        holds(brief(vote) === expected, `${brief(vote)} instead of ${expected}`)
      }
    } else {
      if (decisive[0]) happened.add('takenBack')
      const last = Math.max(...own.map((seal) => seal.counter))
      const late = own.some((seal) => seal.counter === last && last > top && !takesBack(seal))
      holds(vote?.state === (late ? 'late' : undefined), 'a vote in nobody’s cut is not late')
    }
    if (vote) happened.add(vote.state)
  }
}

/** What changes when more records arrive: the cut only grows, and a counted card never becomes another by itself. */
function checkGrowth(
  round: RecordOf<'round'>,
  part: readonly StoredRecord[],
  records: readonly StoredRecord[],
  happened: Set<keyof typeof seen>,
): void {
  const before = resolve(round, part)
  const after = resolve(round, records)
  if (before.phase === 'voting') return
  if (after.phase === 'voting') throw new Error('a reveal was undone')
  const known = new Map(part.map((record) => [record.id, record]))
  const decides = (of: readonly StoredRecord[]) =>
    ofRound(round, of, 'reveal').some((reveal) => reveal.seen.length === 0)
  const peeked = ofRound(round, part, 'release').some((release) => !announced(release, known))
  if (peeked && !decides(part)) return // what the keys opened was the cut until a Reveal arrived
  for (const seal of before.cut) holds(after.cut.has(seal), 'the cut lost a seal')

  const reveals = ofRound(round, records, 'reveal').filter((reveal) => reveal.seen.length === 0)
  const widening = [...ofRound(round, records, 'admit'), ...ofRound(round, records, 'release')]
  const oneCut = reveals.length === 1 && widening.length === 0
  for (const [voter, vote] of before.votes) {
    const later = after.votes.get(voter)
    if (vote.state !== 'counted' && vote.state !== 'void') continue
    const highest = (cut: ReadonlySet<string>, of: readonly StoredRecord[]) =>
      Math.max(...counters(voter, round, of, cut))
    const widened = highest(after.cut, records) > highest(before.cut, part)
    if (widened) {
      holds(!oneCut, 'one cut counted two seals of one voter')
      if (vote.state === 'counted' && brief(later) !== brief(vote)) happened.add('overtaken')
    } else if (later?.state === 'void') {
      if (vote.state === 'counted') happened.add('voidedAfterwards')
    } else {
      holds(brief(later) === brief(vote), `${brief(vote)} became ${brief(later)}`)
    }
  }
}

function counters(
  voter: ParticipantId,
  round: RecordOf<'round'>,
  records: readonly StoredRecord[],
  cut: ReadonlySet<string>,
): number[] {
  return ofRound(round, records, 'seal').flatMap((seal) =>
    seal.author === voter && cut.has(seal.id) ? seal.counter : [],
  )
}

function ofRound<Kind extends 'seal' | 'reveal' | 'admit' | 'release'>(
  round: RecordOf<'round'>,
  records: readonly StoredRecord[],
  kind: Kind,
): RecordOf<Kind>[] {
  return records.filter(
    (record): record is RecordOf<Kind> => record.kind === kind && record.round === round.id,
  )
}

function brief(vote: Vote | undefined): string {
  return vote?.state === 'counted' ? `counted ${vote.card}` : (vote?.state ?? 'nothing')
}

/** A text that is equal for equal values; sets have no order, but votes stand in the order of the voters. */
function told(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part instanceof Set ? [...part].sort() : part instanceof Map ? [...part] : part,
  )
}

function holds(condition: boolean, words: string): void {
  if (!condition) throw new Error(words)
}
