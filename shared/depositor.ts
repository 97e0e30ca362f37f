import { equalBytes } from './codec.ts'
import {
  type Asker,
  boxKeyFor,
  type Deposit,
  escrowName,
  mostReplaced,
  noBox,
  releaseStatement,
} from './escrow.ts'
import type { ParticipantId, RecordId, RoundId, SealId } from './id.ts'
import { derive, type SessionKeys, sign } from './keys.ts'
import type { Ledger } from './ledger.ts'
import type { Participant } from './participant.ts'
import { encodeOpen, membershipStatement, type RecordOf, recordIdOf } from './record.ts'
import type { RoundState } from './round.ts'
import { type Choice, takesBack } from './seal.ts'

/** What a store is given for one of a participant's seals. */
export interface OwnDeposit {
  readonly of: SealId
  readonly deposit: Deposit
}

/** Stands for the card of a vote that is none any more: its key opens nothing, and puts the one before out of the store. */
const nothing: Choice = { card: 255, unsure: false }

/** One participant's part in the escrow: what they deposit, and what they ask for. */
export class Depositor {
  readonly #keys: SessionKeys
  readonly #seed: Uint8Array
  readonly #boxSecret: Uint8Array
  readonly #ledger: Ledger
  readonly #participant: Participant

  /** `seed` is the participant's. */
  constructor(keys: SessionKeys, seed: Uint8Array, ledger: Ledger, participant: Participant) {
    this.#keys = keys
    this.#seed = seed
    this.#boxSecret = derive(seed, 'box')
    this.#ledger = ledger
    this.#participant = participant
  }

  get id(): ParticipantId {
    return this.#participant.id
  }

  /**
   * What a store must know for this participant's latest vote to open without them; undefined when there is none to open. Of a
   * vote that was taken back or carried to another round it is told to forget the keys; of a vote that was changed, too, if
   * `forget`: once the new seal is saved, or a phone that dies in between would leave a seal without its key.
   */
  deposit(round: RecordOf<'round'>, forget: boolean): OwnDeposit | undefined {
    const [latest, ...others] = this.#ownSeals(round.id)
    if (!latest || this.#ledger.isRevealed(round.id)) return undefined
    const isGone = takesBack(latest) || !this.#isCurrent(round)
    // Keys are put out of the store also when the rules have none any more.
    if (!isGone && !this.#ledger.hasEscrow(round)) return undefined
    const before = isGone ? [latest, ...others] : others.filter(({ counter }) => counter < latest.counter)
    const old = forget || isGone ? before.flatMap((seal) => this.#boxKeyOf(seal, round) ?? []) : []
    const replaces = old.slice(0, mostReplaced)
    if (isGone && replaces.length === 0) return undefined
    const key = isGone
      ? boxKeyFor(this.#boxSecret, round.id, latest.counter, nothing)
      : this.#boxKeyOf(latest, round)
    if (!key) return undefined
    const name = (id: RecordId) => escrowName(this.#keys, id)
    return { of: latest.id, deposit: { round: name(round.id), seal: name(latest.id), key, replaces } }
  }

  /** Rounds this participant voted in (or took a vote back) that nobody has revealed, with their latest seal. */
  roundsToDeposit(): {
    readonly round: RecordOf<'round'>
    readonly latest: SealId
    readonly current: boolean
  }[] {
    return [...this.#participant.latestSeals()].flatMap(([id, seal]) => {
      if (this.#ledger.isOpen(seal)) return []
      const round = this.#ledger.round(id)
      if (!round || this.#ledger.isRevealed(id)) return []
      return [{ round, latest: seal.id, current: this.#isCurrent(round) }]
    })
  }

  /** Asks the store for the keys of a round, in public. Throws for an observer's keys. */
  askForRelease(round: RoundId): { readonly round: Uint8Array; readonly asker: Asker } {
    const { memberSeed, session } = this.#keys
    if (!memberSeed) throw new Error('An observer cannot have keys released')
    const name = escrowName(this.#keys, round)
    const [reveal] = this.#ledger.of(round, 'reveal').sort((a, b) => (a.id < b.id ? -1 : 1))
    return {
      round: name,
      asker: {
        author: this.id,
        membership: sign(membershipStatement(session, this.id), memberSeed),
        reveal: reveal?.id,
        signature: sign(releaseStatement(session, name, reveal?.id), this.#seed),
      },
    }
  }

  /** Whether the round seems to be revealed and to have votes that nobody opened: few are verified, so that all can be looked through. */
  isUnopened(round: RoundId): boolean {
    const about = this.#ledger.about(round)
    if (!about.some(({ kind }) => kind === 'reveal')) return false
    const latest = new Map<ParticipantId, RecordOf<'seal'>>()
    for (const record of about) {
      if (record.kind !== 'seal') continue
      if (record.counter >= (latest.get(record.author)?.counter ?? 0)) latest.set(record.author, record)
    }
    return [...latest.values()].some((seal) => !takesBack(seal) && !this.#ledger.isOpen(seal))
  }

  /** The Opens that released keys gave for cards in the cut: whoever reads them publishes them, each the same bytes. */
  releasedOpens(round: RecordOf<'round'>, state: RoundState): Uint8Array[] {
    if (state.phase === 'voting') return []
    return this.#ledger
      .boxesOf(round.id)
      .flatMap(({ opened }) => [...opened.values()])
      .filter((open) => state.cut.has(open.seal))
      .map(encodeOpen)
      .filter((bytes) => !this.#ledger.has(recordIdOf(bytes)))
  }

  #isCurrent(round: RecordOf<'round'>): boolean {
    return this.#ledger.current(round.story ?? 'quick')?.id === round.id
  }

  /** Undefined for a seal without a box. */
  #boxKeyOf(seal: RecordOf<'seal'>, round: RecordOf<'round'>): Uint8Array | undefined {
    if (equalBytes(seal.box, noBox)) return undefined
    const opening = this.#participant.openingOf(seal, round)
    return opening && boxKeyFor(this.#boxSecret, round.id, seal.counter, opening)
  }

  /** The latest first. */
  #ownSeals(round: RoundId): RecordOf<'seal'>[] {
    const own = this.#ledger.of(round, 'seal').filter((seal) => seal.author === this.id)
    return own.sort((a, b) => b.counter - a.counter || (a.id < b.id ? -1 : 1))
  }
}
