/** Random histories of one session: people with one or two devices act, exchange what they have, or are cut off. */
import { base32, type ParticipantId, participantId, type RecordId, storyId } from './id.ts'
import type { RecordOf, StoredRecord } from './record.ts'
import { PlainRecords } from './round.testing.ts'
import { inChainOrder } from './round.ts'
import { takesBack } from './seal.ts'
import { bytesOf, type Chance } from './testing.ts'

const people = Array.from({ length: 6 }, (_, at) => participantId(bytesOf(at + 1)))
export const stories = [storyId(bytesOf(1, 10)), storyId(bytesOf(2, 10))]

interface Replica {
  readonly person: ParticipantId
  readonly known: Map<RecordId, StoredRecord>
  /** Replicas exchange only within their half of a partition. */
  half: number
}

/** All records that come to be, each once, in the order in which they were made. */
export function makeHistory(chance: Chance): StoredRecord[] {
  const plain = new PlainRecords(chance)
  const made: StoredRecord[] = []
  const replicas = Array.from({ length: 2 + chance.below(5) }, (_, at): Replica => {
    const person = people[at > 0 && chance.happens(0.2) ? at - 1 : at] as ParticipantId
    return { person, known: new Map(), half: 0 }
  })
  const store: Store = { keys: new Map(), released: new Set() }
  const publish = (replica: Replica, record: StoredRecord | undefined) => {
    if (!record) return
    made.push(record)
    replica.known.set(record.id, record)
  }
  const first = replicas[0] as Replica
  publish(first, plain.round(first.person, stories[0]))
  for (const other of replicas) exchange(first, other, chance)

  for (let step = 10 + chance.below(25); step > 0; step--) {
    const replica = chance.pick(replicas)
    const round = chance.pick(known(replica, 'round'))
    const act = chance.below(100)
    if (act < 24) exchange(replica, chance.pick(replicas), chance)
    else if (act < 30) for (const each of replicas) each.half = chance.below(2)
    else if (act < 34 || !round) publish(replica, starts(plain, replica, chance))
    else if (act < 60) {
      const seal = votes(plain, replica, round, chance.below(8) > 0 ? chance.below(4) : undefined)
      publish(replica, seal)
      if (chance.happens(0.6)) deposits(store, round, seal, chance)
    } else if (act < 69) publish(replica, reveals(plain, replica, round, chance))
    else if (act < 72) publish(replica, releases(plain, replica, round, store, chance))
    else if (act < 86) for (const open of owed(plain, replica, round)) publish(replica, open)
    else if (act < 92) publish(replica, admits(plain, replica, round, chance))
    else publish(replica, settles(plain, replica, round, chance.below(2)))
  }
  for (const replica of replicas) {
    if (chance.happens(0.3)) continue
    for (const other of replicas) exchange(other, replica, chance)
    for (const round of known(replica, 'round'))
      for (const open of owed(plain, replica, round)) publish(replica, open)
  }
  return made
}

/** The seals a reveal, an admission, or a release that announces no reveal covers, by the second rule of ARCHITECTURE.md. */
export function coveredSeals(round: RecordId, records: Iterable<StoredRecord>): Set<RecordId> {
  const covered = new Set<RecordId>()
  const decided = [...records].some(
    (record) => record.kind === 'reveal' && record.round === round && record.seen.length === 0,
  )
  const all = new Map([...records].map((record) => [record.id, record]))
  for (const record of all.values()) {
    if (record.kind === 'reveal' && record.round === round && record.seen.length === 0) {
      for (const seal of record.cut) covered.add(seal)
    } else if (record.kind === 'admit' && record.round === round) {
      for (const seal of record.seals) covered.add(seal)
    } else if (record.kind === 'release' && record.round === round && !decided && !announced(record, all)) {
      const opened = openedBy(record).filter((seal) => all.has(seal))
      for (const seal of opened) covered.add(seal)
      if (opened.length > 0) for (const seal of takenBack(round, all.values())) covered.add(seal)
    }
  }
  return covered
}

/** A store that keeps keys. Those of one round leave it together, once. */
interface Store {
  readonly keys: Map<RecordId, { readonly seal: RecordOf<'seal'>; readonly wrong: boolean }[]>
  readonly released: Set<RecordId>
}

function takenBack(round: RecordId, records: Iterable<StoredRecord>): RecordId[] {
  return [...records].flatMap((record) =>
    record.kind === 'seal' && record.round === round && takesBack(record) ? record.id : [],
  )
}

export function announced(
  release: RecordOf<'release'>,
  records: ReadonlyMap<RecordId, StoredRecord>,
): boolean {
  const reveal = release.reveal && records.get(release.reveal)
  return reveal?.kind === 'reveal' && reveal.round === release.round
}

/** The seals whose boxes its keys open. */
export function openedBy(release: RecordOf<'release'>): RecordId[] {
  return release.keys.flatMap(({ seal, key }) => (key[0] === 255 ? [] : [base32(seal) as RecordId]))
}

function deposits(store: Store, round: RecordOf<'round'>, seal: RecordOf<'seal'>, chance: Chance): void {
  if (store.released.has(round.id) || takesBack(seal)) return
  const others = (store.keys.get(round.id) ?? []).filter((other) => other.seal.author !== seal.author)
  store.keys.set(round.id, [...others, { seal, wrong: chance.happens(0.05) }])
}

/** Mostly with a Reveal, sometimes to peek. */
function releases(
  plain: PlainRecords,
  replica: Replica,
  round: RecordOf<'round'>,
  store: Store,
  chance: Chance,
): RecordOf<'release'> | undefined {
  const reveal = known(replica, 'reveal').find((record) => record.round === round.id)
  if (store.released.has(round.id) || (!reveal && chance.happens(0.5))) return undefined
  store.released.add(round.id)
  const kept = store.keys.get(round.id) ?? []
  const wrong = new Set(kept.flatMap(({ seal, wrong }) => (wrong ? [seal.id] : [])))
  return plain.release(
    round.id,
    replica.person,
    reveal?.id,
    kept.map(({ seal }) => seal),
    wrong,
  )
}

function known<Kind extends StoredRecord['kind']>(replica: Replica, kind: Kind): RecordOf<Kind>[] {
  const found: RecordOf<Kind>[] = []
  for (const record of replica.known.values()) if (record.kind === kind) found.push(record as RecordOf<Kind>)
  return found
}

/** Frames may be lost on the way: sometimes only a part arrives. */
function exchange(from: Replica, to: Replica, chance: Chance): void {
  if (from.half !== to.half) return
  const whole = chance.happens(0.8)
  for (const record of from.known.values()) {
    if (whole || record.kind === 'round' || chance.happens(0.5)) to.known.set(record.id, record)
  }
}

function starts(plain: PlainRecords, replica: Replica, chance: Chance): RecordOf<'round'> {
  const story = chance.pick(stories)
  const [current] = inChainOrder(known(replica, 'round').filter((round) => round.story === story))
  return plain.round(replica.person, story, current?.id)
}

function isRevealed(replica: Replica, round: RecordOf<'round'>): boolean {
  const opening = [...known(replica, 'reveal'), ...known(replica, 'release')]
  return opening.some((record) => record.round === round.id)
}

function sealsOf(replica: Replica, round: RecordOf<'round'>): RecordOf<'seal'>[] {
  return known(replica, 'seal').filter((seal) => seal.round === round.id)
}

function votes(plain: PlainRecords, replica: Replica, round: RecordOf<'round'>, card: number | undefined) {
  let counter = 0
  for (const seal of sealsOf(replica, round)) {
    if (seal.author === replica.person) counter = Math.max(counter, seal.counter)
  }
  return plain.seal(round.id, replica.person, counter + 1, card)
}

function reveals(plain: PlainRecords, replica: Replica, round: RecordOf<'round'>, chance: Chance) {
  const seen = [...known(replica, 'reveal'), ...known(replica, 'release')].filter(
    (record) => record.round === round.id,
  )
  if (seen.length > 0 && chance.happens(0.7)) return undefined
  const seals = sealsOf(replica, round)
  const cut = seals.filter(
    (seal) => !seals.some((other) => other.author === seal.author && other.counter > seal.counter),
  )
  const ids = (records: readonly StoredRecord[]) => records.map((record) => record.id)
  return plain.reveal(round.id, replica.person, ids(cut), ids(seen))
}

function owed(plain: PlainRecords, replica: Replica, round: RecordOf<'round'>): RecordOf<'open'>[] {
  const covered = coveredSeals(round.id, replica.known.values())
  if (covered.size === 0 || !isRevealed(replica, round)) return []
  const own = sealsOf(replica, round).filter((seal) => seal.author === replica.person)
  const top = Math.max(...own.filter((seal) => covered.has(seal.id)).map((seal) => seal.counter))
  const opened = new Set(known(replica, 'open').map((open) => open.seal))
  return own
    .filter((seal) => seal.counter === top && !takesBack(seal) && !opened.has(seal.id))
    .map((seal) => plain.open(seal))
}

/** Mostly a late vote; sometimes, from a foreign client, any seal at all. */
function admits(plain: PlainRecords, replica: Replica, round: RecordOf<'round'>, chance: Chance) {
  const covered = coveredSeals(round.id, replica.known.values())
  const seals = sealsOf(replica, round)
  const late = seals.filter(
    (seal) => !seals.some((other) => other.author === seal.author && covered.has(other.id)),
  )
  const seal = chance.pick(chance.happens(0.9) ? late : seals)
  return seal && plain.admit(round.id, replica.person, [seal.id])
}

function settles(plain: PlainRecords, replica: Replica, round: RecordOf<'round'>, card: number) {
  if (!isRevealed(replica, round)) return undefined
  const replaces = known(replica, 'estimate').filter((estimate) => estimate.story === round.story)
  return plain.estimate(
    round,
    replica.person,
    card,
    replaces.map((estimate) => estimate.id),
  )
}
