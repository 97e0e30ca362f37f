import { joinBytes } from './codec.ts'
import type { Card } from './deck.ts'
import {
  idBytes,
  type ParticipantId,
  type RecordId,
  type RoundId,
  recordId,
  type SealId,
  type StoryId,
} from './id.ts'
import { type SessionKeys, verify } from './keys.ts'
import {
  decodeRecord,
  membershipStatement,
  type RecordOf,
  type StoredRecord,
  verifyRecord,
} from './record.ts'
import { currentRound, type RoundState, resolveRound, type StoryEstimate } from './round.ts'

/** Rounds of one story, or all quick rounds. */
export type Topic = StoryId | 'quick'

/**
 * The records of one session, indexed. A record counts when its author's signature holds and the session's member key
 * has vouched for the author. Signatures cost about a millisecond, so they are checked when a record is first asked for.
 */
export class Ledger {
  readonly #keys: SessionKeys
  readonly #records = new Map<RecordId, { record: StoredRecord; bytes: Uint8Array }>()
  readonly #byRound = new Map<RoundId, StoredRecord[]>()
  readonly #opens = new Map<SealId, RecordOf<'open'>[]>()
  readonly #rounds = new Map<Topic, RecordOf<'round'>[]>()
  readonly #estimates = new Map<Topic, RecordOf<'estimate'>[]>()
  readonly #profiles = new Map<ParticipantId, RecordOf<'profile'>[]>()
  readonly #seals = new Map<ParticipantId, RecordOf<'seal'>[]>()
  readonly #grants: RecordOf<'grant'>[] = []
  readonly #verdicts = new Map<RecordId, boolean>()

  constructor(keys: SessionKeys) {
    this.#keys = keys
  }

  /** False when it is no record, or its key is not its hash, or it is here already. */
  add(key: string, bytes: Uint8Array): boolean {
    const record = decodeRecord(bytes)
    if (!record || record.id !== key || this.#records.has(record.id)) return false
    this.#records.set(record.id, { record, bytes })
    switch (record.kind) {
      case 'profile':
        push(this.#profiles, record.author, record)
        break
      case 'grant':
        this.#grants.push(record)
        break
      case 'round':
        push(this.#rounds, record.story ?? 'quick', record)
        break
      case 'open':
        push(this.#opens, record.seal, record)
        break
      case 'estimate':
        push(this.#estimates, record.story ?? 'quick', record)
        push(this.#byRound, record.round, record)
        break
      case 'seal':
        push(this.#seals, record.author, record)
        push(this.#byRound, record.round, record)
        break
      default:
        push(this.#byRound, record.round, record)
    }
    return true
  }

  /** The ids of records whose signatures hold, 16 bytes each: to be kept on this device, so that a next visit need not check. */
  verified(): Uint8Array {
    const ids = [...this.#verdicts].flatMap(([id, holds]) => (holds ? [idBytes(id)] : []))
    return joinBytes(...ids)
  }

  /** Takes over what this device verified before. An id is the hash of its record's bytes, so it stands for just these. */
  trust(verified: Uint8Array): void {
    for (let at = 0; at + 16 <= verified.length; at += 16) {
      this.#verdicts.set(recordId(verified.subarray(at, at + 16)), true)
    }
  }

  has(id: RecordId): boolean {
    return this.#records.has(id)
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
    const valid = (this.#profiles.get(participant) ?? []).filter((profile) => this.#vouchedFor(profile))
    return valid.sort((a, b) => b.counter - a.counter || (a.id < b.id ? -1 : 1))[0]
  }

  /** Whom the owner's key, or a facilitator in turn, made a facilitator. */
  facilitators(): Set<ParticipantId> {
    const owner = this.#keys.publicKeys.subarray(0, 32)
    const grants = this.#grants.filter((grant) => this.#signatureHolds(grant.id))
    const facilitators = new Set<ParticipantId>()
    let before: number
    do {
      before = facilitators.size
      for (const { author, participant } of grants) {
        const byOwner = idBytes(author).every((byte, at) => byte === owner[at])
        if (byOwner || facilitators.has(author)) facilitators.add(participant)
      }
    } while (facilitators.size > before)
    return facilitators
  }

  rounds(topic: Topic): RecordOf<'round'>[] {
    return (this.#rounds.get(topic) ?? []).filter((round) => this.counts(round))
  }

  current(topic: Topic): RecordOf<'round'> | undefined {
    return currentRound(this.rounds(topic))
  }

  round(id: RoundId): RecordOf<'round'> | undefined {
    const record = this.#records.get(id)?.record
    return record?.kind === 'round' && this.counts(record) ? record : undefined
  }

  /** Everything that was said about a round, as far as it counts. */
  of<Kind extends 'seal' | 'reveal' | 'admit' | 'estimate'>(round: RoundId, kind: Kind): RecordOf<Kind>[] {
    return (this.#byRound.get(round) ?? []).filter(
      (record): record is RecordOf<Kind> => record.kind === kind && this.counts(record),
    )
  }

  /** Not verified: whoever acts on them asks again for the round's. */
  sealsBy(participant: ParticipantId): readonly RecordOf<'seal'>[] {
    return this.#seals.get(participant) ?? []
  }

  /** Not verified: an Open shows itself valid against its seal. */
  opensOf(seal: SealId): readonly RecordOf<'open'>[] {
    return this.#opens.get(seal) ?? []
  }

  resolve(round: RecordOf<'round'>): RoundState {
    const seals = this.of(round.id, 'seal')
    return resolveRound({
      session: this.#keys.session,
      round,
      seals,
      reveals: this.of(round.id, 'reveal'),
      admits: this.of(round.id, 'admit'),
      opens: seals.flatMap((seal) => this.opensOf(seal.id)),
      estimates: this.estimates(round),
    })
  }

  /** The estimates of the round's story; a quick round has only its own. Those of unrevealed rounds do not count. */
  estimates(round: RecordOf<'round'>): StoryEstimate[] {
    const own = (estimate: RecordOf<'estimate'>) => round.story !== undefined || estimate.round === round.id
    return this.estimatesOf(round.story ?? 'quick').filter((estimate) => own(estimate.record))
  }

  estimatesOf(topic: Topic): StoryEstimate[] {
    return (this.#estimates.get(topic) ?? []).flatMap((record) => {
      const round = this.counts(record) ? this.round(record.round) : undefined
      const card: Card | undefined = round?.cards[record.card]
      const fits =
        round && card && (round.story ?? 'quick') === topic && this.of(round.id, 'reveal').length > 0
      return fits ? [{ record, card }] : []
    })
  }

  counts(record: StoredRecord): boolean {
    return record.kind === 'open' || (this.#signatureHolds(record.id) && this.isMember(record.author))
  }

  isMember(participant: ParticipantId): boolean {
    return (this.#profiles.get(participant) ?? []).some((profile) => this.#vouchedFor(profile))
  }

  #vouchedFor(profile: RecordOf<'profile'>): boolean {
    return this.#signatureHolds(profile.id)
  }

  /** Of a profile, both its author's signature and the member key's; remembered either way. */
  #signatureHolds(id: RecordId): boolean {
    const known = this.#verdicts.get(id)
    if (known !== undefined) return known
    const stored = this.#records.get(id)
    const holds =
      stored !== undefined &&
      verifyRecord(this.#keys.session, stored.bytes) &&
      (stored.record.kind !== 'profile' || this.#hasMembership(stored.record))
    this.#verdicts.set(id, holds)
    return holds
  }

  #hasMembership(profile: RecordOf<'profile'>): boolean {
    const statement = membershipStatement(this.#keys.session, profile.author)
    return verify(profile.membership, statement, this.#keys.publicKeys.subarray(32, 64))
  }
}

function push<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const values = map.get(key)
  if (values) values.push(value)
  else map.set(key, [value])
}
