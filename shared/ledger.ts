import { type BoxesOpened, openBoxes } from './boxes.ts'
import type { Card } from './deck.ts'
import {
  type ParticipantId,
  participantId,
  type RecordId,
  type RoundId,
  type SealId,
  type StoryId,
} from './id.ts'
import type { SessionKeys } from './keys.ts'
import { decodeRecord, type RecordOf, type StoredRecord, type Who } from './record.ts'
import { fits, inChainOrder, type RoundState, resolveRound, type StoryEstimate } from './round.ts'
import { findOffices, type Offices, type StandingRules, strictestRules, unreplacedRules } from './rules.ts'
import { Signatures, type Stored } from './signatures.ts'

/** Rounds of one story, or all quick rounds. */
export type Topic = StoryId | 'quick'

/**
 * The records of one session, indexed. A record counts when its author's signature holds, which is found out when the record is
 * first asked for, and the session's member key has vouched for the author.
 */
export class Ledger {
  /** Whose votes are asked for, too: this device shows their cards when they are due. */
  voter: ParticipantId | undefined
  readonly signatures: Signatures
  readonly #keys: SessionKeys
  readonly #records = new Map<RecordId, Stored>()
  readonly #byRound = new Map<RoundId, StoredRecord[]>()
  readonly #opens = new Map<SealId, RecordOf<'open'>[]>()
  readonly #rounds = new Map<Topic, RecordOf<'round'>[]>()
  readonly #estimates = new Map<Topic, RecordOf<'estimate'>[]>()
  readonly #profiles = new Map<ParticipantId, RecordOf<'profile'>[]>()
  readonly #seals = new Map<ParticipantId, RecordOf<'seal'>[]>()
  readonly #grants: RecordOf<'grant'>[] = []
  readonly #rulesRecords: RecordOf<'rules'>[] = []
  readonly #withdrawals = new Map<RecordId, RecordOf<'withdraw'>[]>()
  /** Found when asked for, and again after a record that may change them. */
  #offices: Offices | undefined
  #standing: StandingRules | undefined
  /** What rounds had come to, by the size of this ledger: it is asked for many times after each change. */
  readonly #resolved = new WeakMap<RecordOf<'round'>, { readonly size: number; readonly state: RoundState }>()
  /** By release, for as many seals as there were. */
  readonly #boxes = new Map<RecordId, { readonly seals: number; readonly boxes: BoxesOpened }>()

  constructor(keys: SessionKeys) {
    this.#keys = keys
    this.signatures = new Signatures(keys, (id) => this.#records.get(id))
  }

  /** Grows with every record: as long as it is the same, every answer of this ledger is. */
  get size(): number {
    return this.#records.size
  }

  /** Whether anybody has ever voted. */
  get hasSeals(): boolean {
    return this.#seals.size > 0
  }

  /** False when it is no record, or its key is not its hash, or it is here already. */
  add(key: string, bytes: Uint8Array): boolean {
    const record = decodeRecord(bytes)
    if (!record || record.id !== key || this.#records.has(record.id)) return false
    this.#records.set(record.id, { record, bytes })
    const ofOthers = record.kind === 'seal' && record.author !== this.voter
    const seldom = ofOthers || record.kind === 'open' || record.kind === 'release'
    if (!seldom) this.signatures.expect(record.id)
    switch (record.kind) {
      case 'profile':
        push(this.#profiles, record.author, record)
        this.#forgetOffices()
        break
      case 'grant':
        this.#grants.push(record)
        this.#forgetOffices()
        break
      case 'rules':
        this.#rulesRecords.push(record)
        this.#forgetOffices()
        break
      case 'withdraw':
        push(this.#withdrawals, record.record, record)
        break
      case 'round':
        push(this.#rounds, record.story ?? 'quick', record)
        push(this.#byRound, record.id, record)
        break
      case 'open':
        push(this.#opens, record.seal, record)
        break
      case 'estimate':
        push(this.#estimates, record.story ?? 'quick', record)
        break
      case 'seal':
        push(this.#seals, record.author, record)
    }
    if ('round' in record) push(this.#byRound, record.round, record)
    return true
  }

  has(id: RecordId): boolean {
    return this.#records.has(id)
  }

  /** Of the record with this id, as it came. */
  bytesOf(key: string): Uint8Array | undefined {
    return this.#records.get(key as RecordId)?.bytes
  }

  /** The newest profile of everybody who may take part. */
  profiles(): Map<ParticipantId, RecordOf<'profile'>> {
    const newest = new Map<ParticipantId, RecordOf<'profile'>>()
    for (const participant of this.#profiles.keys()) {
      const profile = this.profile(participant)
      if (profile) newest.set(participant, profile)
    }
    return newest
  }

  profile(participant: ParticipantId): RecordOf<'profile'> | undefined {
    const valid = (this.#profiles.get(participant) ?? []).filter(({ id }) => this.signatures.hold(id))
    return valid.sort((a, b) => b.counter - a.counter || (a.id < b.id ? -1 : 1))[0]
  }

  facilitators(): ReadonlySet<ParticipantId> {
    return this.#officesNow().facilitators
  }

  tookOver(): ReadonlySet<ParticipantId> {
    return this.#officesNow().tookOver
  }

  rules(): StandingRules {
    this.#standing ??= strictestRules(this.#countingRules())
    return this.#standing
  }

  /** The ids of all rules that nothing replaces yet. */
  standingRules(): RecordId[] {
    return unreplacedRules(this.#countingRules()).map(({ id }) => id)
  }

  /** Whether a round started by them now would count. */
  mayStart(participant: ParticipantId): boolean {
    return this.isMember(participant) && this.#permits(this.rules().who, participant)
  }

  /** Whether what they decide about this round counts, and the rules of today do not ask them to leave it. */
  mayDecide(participant: ParticipantId, round: RecordOf<'round'>): boolean {
    return this.mayStart(participant) && this.#permits(this.#whoDecides(round), participant)
  }

  /** All that count, those taken back too. */
  rounds(topic: Topic): RecordOf<'round'>[] {
    return (this.#rounds.get(topic) ?? []).filter((round) => this.counts(round))
  }

  /** The last of the chain first. */
  allRounds(topic: Topic): RecordOf<'round'>[] {
    return inChainOrder(this.rounds(topic))
  }

  /** Stories (removed ones too) and the quick rounds, as far as they have had a round. */
  topics(): Topic[] {
    return [...this.#rounds.keys()]
  }

  current(topic: Topic): RecordOf<'round'> | undefined {
    return this.allRounds(topic).find((round) => this.#isInOrder(round))
  }

  /** Whether a round or an estimate was taken back. What was revealed stays. */
  withdrawn(id: RecordId): boolean {
    const withdrawals = this.#withdrawals.get(id)
    const target = this.#records.get(id)?.record
    if (!withdrawals || (target?.kind !== 'round' && target?.kind !== 'estimate')) return false
    if (target.kind === 'round' && this.isRevealed(target.id)) return false
    const round = target.kind === 'round' ? target : this.round(target.round)
    return withdrawals.some(
      (withdrawal) =>
        this.counts(withdrawal) &&
        (withdrawal.author === target.author ||
          (round !== undefined && this.#permits(this.#whoDecides(round), withdrawal.author))),
    )
  }

  round(id: RoundId): RecordOf<'round'> | undefined {
    const record = this.#records.get(id)?.record
    return record?.kind === 'round' && this.counts(record) ? record : undefined
  }

  /** Everything that was said about a round, as far as it counts. */
  of<Kind extends 'seal' | 'reveal' | 'admit' | 'estimate' | 'release'>(
    round: RoundId,
    kind: Kind,
  ): RecordOf<Kind>[] {
    return (this.#byRound.get(round) ?? []).filter(
      (record): record is RecordOf<Kind> => record.kind === kind && this.counts(record),
    )
  }

  /** Everything that was said about a round and is not known to be forged. Not verified. */
  about(round: RoundId): StoredRecord[] {
    return (this.#byRound.get(round) ?? []).filter(({ id }) => this.signatures.mayHold(id))
  }

  /** Rounds that something is known of. Not verified. */
  roundIds(): RoundId[] {
    return [...this.#byRound.keys()]
  }

  /** Signed by them: of what others make up in somebody's name nothing may keep a card closed. */
  sealsBy(participant: ParticipantId): readonly RecordOf<'seal'>[] {
    return (this.#seals.get(participant) ?? []).filter(({ id }) => this.signatures.hold(id))
  }

  /** Whether its card was shown. Nobody signs an Open, so that only one that fits is one. */
  isOpen(seal: RecordOf<'seal'>): boolean {
    return this.#opensOf(seal).some((open) => fits(open, seal, this.#keys.session))
  }

  #opensOf({ id }: RecordOf<'seal'>): readonly RecordOf<'open'>[] {
    return this.#opens.get(id) ?? []
  }

  resolve(round: RecordOf<'round'>): RoundState {
    const known = this.#resolved.get(round)
    if (known?.size === this.size) return known.state
    const state = this.#resolveAnew(round)
    this.#resolved.set(round, { size: this.size, state })
    return state
  }

  #resolveAnew(round: RecordOf<'round'>): RoundState {
    const seals = this.of(round.id, 'seal')
    return resolveRound({
      session: this.#keys.session,
      round,
      seals,
      reveals: this.of(round.id, 'reveal'),
      admits: this.of(round.id, 'admit'),
      opens: seals.flatMap((seal) => this.#opensOf(seal)),
      releases: this.boxesOf(round.id, seals),
      estimates: this.estimates(round),
    })
  }

  /** Somebody revealed the round, or had the keys of its boxes released. */
  isRevealed(round: RoundId): boolean {
    return this.of(round, 'reveal').length > 0 || this.boxesOf(round).length > 0
  }

  /**
   * Whether this device makes boxes for its votes in a round, and deposits their keys: only when neither the round's rules nor
   * those of today forbid it. So nobody gets at keys by starting a round that names no rules.
   */
  hasEscrow(round: RecordOf<'round'>): boolean {
    return this.beganWithEscrow(round) && this.rules().escrow
  }

  /** Whether a round's own rules have it; a round that names rules nobody knows has not. */
  beganWithEscrow(round: RecordOf<'round'>): boolean {
    return round.rules ? (this.#rulesOf(round)?.escrow ?? false) : true
  }

  /** The releases that open something. What keys open shows that they are real; anybody could write others. */
  boxesOf(round: RoundId, seals = this.of(round, 'seal')): BoxesOpened[] {
    return this.of(round, 'release')
      .map((release) => this.#boxesOpened(release, seals))
      .filter(({ opened }) => opened.size > 0)
  }

  #boxesOpened(release: RecordOf<'release'>, seals: readonly RecordOf<'seal'>[]): BoxesOpened {
    const known = this.#boxes.get(release.id)
    if (known?.seals === seals.length) return known.boxes
    const boxes = openBoxes(this.#keys, release, seals)
    this.#boxes.set(release.id, { seals: seals.length, boxes })
    return boxes
  }

  /** The estimates of the round's story; a quick round has only its own. Those of unrevealed rounds do not count. */
  estimates(round: RecordOf<'round'>): StoryEstimate[] {
    return this.allEstimates(round).filter(({ record }) => !this.withdrawn(record.id))
  }

  /** Those taken back too: a new estimate replaces them all, so that it is never the same record again. */
  allEstimates(round: RecordOf<'round'>): StoryEstimate[] {
    const own = (estimate: RecordOf<'estimate'>) => round.story !== undefined || estimate.round === round.id
    return this.#estimatesMade(round.story ?? 'quick').filter((estimate) => own(estimate.record))
  }

  estimatesOf(topic: Topic): StoryEstimate[] {
    return this.#estimatesMade(topic).filter(({ record }) => !this.withdrawn(record.id))
  }

  #estimatesMade(topic: Topic): StoryEstimate[] {
    return (this.#estimates.get(topic) ?? []).flatMap((record) => {
      const round = this.counts(record) ? this.round(record.round) : undefined
      const card: Card | undefined = round?.cards[record.card]
      const fits = round && card && (round.story ?? 'quick') === topic && this.isRevealed(round.id)
      return fits ? [{ record, card }] : []
    })
  }

  counts(record: StoredRecord): boolean {
    if (record.kind === 'open') return true
    if (record.kind === 'release') return this.signatures.hold(record.id)
    return this.signatures.hold(record.id) && this.isMember(record.author) && this.#isPermitted(record)
  }

  isMember(participant: ParticipantId): boolean {
    return (this.#profiles.get(participant) ?? []).some(({ id }) => this.signatures.hold(id))
  }

  /** The rules of the round it is about; of a round, the ones it names. */
  #isPermitted(record: Exclude<StoredRecord, { kind: 'open' | 'release' }>): boolean {
    if (record.kind === 'rules') return this.facilitators().has(record.author)
    const decides = record.kind === 'reveal' || record.kind === 'admit' || record.kind === 'estimate'
    const round = decides ? this.#records.get(record.round)?.record : record
    return round?.kind !== 'round' || this.#permits(this.#whoDecides(round), record.author)
  }

  #whoDecides(round: RecordOf<'round'>): Who {
    return this.#rulesOf(round)?.who ?? 'anybody'
  }

  #rulesOf(round: RecordOf<'round'>): RecordOf<'rules'> | undefined {
    const named = round.rules && this.#records.get(round.rules)?.record
    return named?.kind === 'rules' && this.counts(named) ? named : undefined
  }

  #permits(who: Who, participant: ParticipantId): boolean {
    return who === 'anybody' || this.facilitators().has(participant)
  }

  /** Leaving the rules out of a round does not help: while they ask for a facilitator, nobody else's open round is current. */
  #isInOrder(round: RecordOf<'round'>): boolean {
    const outside = !this.#permits(this.rules().who, round.author)
    return !this.withdrawn(round.id) && (!outside || this.isRevealed(round.id))
  }

  #officesNow(): Offices {
    this.#offices ??= findOffices(
      participantId(this.#keys.publicKeys.subarray(0, 32)),
      this.#grants.filter((grant) => this.signatures.hold(grant.id)),
      (participant) => this.isMember(participant),
    )
    return this.#offices
  }

  #countingRules(): RecordOf<'rules'>[] {
    return this.#rulesRecords.filter((record) => this.counts(record))
  }

  #forgetOffices(): void {
    this.#offices = undefined
    this.#standing = undefined
  }
}

function push<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const values = map.get(key)
  if (values) values.push(value)
  else map.set(key, [value])
}
