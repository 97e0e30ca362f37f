import { Depositor, type OwnDeposit } from '../../shared/depositor.ts'
import { addRecord, recordsOf } from '../../shared/document.ts'
import { decodeReleased, escrowName, type Released } from '../../shared/escrow.ts'
import { base32, type ParticipantId, type RecordId, type RoundId, type SealId } from '../../shared/id.ts'
import { encodeRelease, type RecordOf, recordIdOf } from '../../shared/record.ts'
import type { RelayLink } from '../link/relay-link.ts'
import type { SessionCore } from './core.ts'

/** Voters who are here open their own cards within this time; then the store is asked for the others'. */
const patience = 2_000
/** Who seems to be here but does not open is looked at so often: a phone may have just gone to sleep. */
const looksAtPresent = 3
/** Everybody gets the keys, but only one needs to write them down: the asker does at once, the others if nobody did. */
const writeDownAfter = 2_000

/** Of rounds nobody here knows; more can only be rubbish. */
const mostPending = 64

interface Pending {
  readonly released: Released
  timer?: ReturnType<typeof setTimeout>
}

/** The client's part of the blind escrow: deposits the keys of own boxes, asks for those of a revealed round, and opens what it gets. */
export class Escrow {
  readonly #core: SessionCore
  readonly #depositor: Depositor
  /** Seals whose keys the store has committed. */
  readonly #kept = new Set<SealId>()
  /** What was sent on which connection: once on each. */
  readonly #sent = new Map<SealId, unknown>()
  readonly #asked = new Map<RoundId, unknown>()
  /** Released keys that are not in the document yet; `timer` once their round is known. */
  readonly #pending = new Map<string, Pending>()
  readonly #names = new Map<string, RoundId>()
  /** How often a round was seen with cards that nobody opened. */
  readonly #looks = new Map<RoundId, number>()
  #looking: ReturnType<typeof setTimeout> | undefined

  constructor(core: SessionCore) {
    this.#core = core
    const { options, ledger, participant } = core
    this.#depositor = new Depositor(options.keys, options.seed, ledger, participant)
  }

  /** Whether this seal opens even if its voter leaves. */
  keeps(seal: SealId): boolean {
    return this.#kept.has(seal)
  }

  /** Sends the key of a new vote before the vote itself, so that nobody can take its place in the store. */
  depositFor(round: RecordOf<'round'>): void {
    const { link } = this.#core
    const own = this.#depositor.deposit(round)
    if (own && link?.connection) this.#send(link, own)
  }

  /** Something changed: sees to what is not deposited, and looks for rounds that stay closed. */
  consider(): void {
    const { link, mayWrite } = this.#core
    this.#readPending()
    if (!mayWrite || !link?.connection) return
    for (const { round, latest } of this.#depositor.roundsToDeposit()) {
      if (this.#sent.get(latest) === link.connection) continue
      const own = this.#depositor.deposit(round)
      if (own) this.#send(link, own)
      else this.#sent.set(latest, link.connection)
    }
    this.#looking ??= setTimeout(() => this.#look(), patience)
  }

  /** Asks at once when somebody whose card is covered is not here. */
  askFor(round: RoundId, here: ReadonlySet<ParticipantId>): void {
    if (this.#sealedVoters(round).some((voter) => !here.has(voter))) this.#ask(round)
  }

  deposited(seal: SealId, kept: boolean): void {
    if (kept) this.#kept.add(seal)
    else this.#kept.delete(seal)
    this.#core.change()
  }

  /** Rubbish in a store's name is nothing. */
  released(body: Uint8Array): void {
    const released = decodeReleased(body)
    if (!released) return
    const [oldest] = this.#pending.keys()
    if (oldest && this.#pending.size >= mostPending) this.#pending.delete(oldest)
    this.#pending.set(base32(body.subarray(0, 16)) + released.asker.author, { released })
    this.#readPending()
    this.#core.change()
  }

  /** True while keys came that are in no document: a place in the log behind them would lose them. */
  get holds(): boolean {
    return [...this.#pending.values()].some(({ timer }) => timer !== undefined)
  }

  stop(): void {
    clearTimeout(this.#looking)
    for (const { timer } of this.#pending.values()) clearTimeout(timer)
  }

  #send(link: RelayLink, { of, deposit }: OwnDeposit): void {
    this.#sent.set(of, link.connection)
    link.deposit(of, deposit)
  }

  #look(): void {
    this.#looking = undefined
    const { ledger, here } = this.#core
    const unopened = new Set(ledger.unopenedRounds())
    for (const round of this.#looks.keys()) if (!unopened.has(round)) this.#looks.delete(round)
    let again = false
    for (const round of unopened) {
      const sealed = this.#sealedVoters(round)
      if (sealed.length === 0) continue
      const looks = (this.#looks.get(round) ?? 0) + 1
      this.#looks.set(round, looks)
      const allHere = sealed.every((voter) => here.has(voter))
      if (!allHere || looks > looksAtPresent) this.#ask(round)
      else again = true
    }
    if (again) this.#looking = setTimeout(() => this.#look(), patience)
  }

  /** Whose cards are covered by the cut and not open, in a round with escrow whose keys nobody had released. */
  #sealedVoters(id: RoundId): ParticipantId[] {
    const { ledger } = this.#core
    const round = ledger.round(id)
    const state = round && ledger.hasEscrow(round) ? ledger.resolve(round) : undefined
    if (!state || state.phase === 'voting' || ledger.of(id, 'release').length > 0) return []
    return [...state.votes].flatMap(([voter, vote]) => (vote.state === 'sealed' ? [voter] : []))
  }

  #ask(round: RoundId): void {
    const { link, mayWrite } = this.#core
    if (!mayWrite || !link?.connection || this.#asked.get(round) === link.connection) return
    this.#asked.set(round, link.connection)
    const { round: name, asker } = this.#depositor.askForRelease(round)
    link.askForRelease(name, asker)
  }

  /** What came for a round that is known counts at once; one of all writes it down for those who come later. */
  #readPending(): void {
    for (const [key, pending] of this.#pending) {
      const { round: name, asker, keys } = pending.released
      const round = pending.timer ? undefined : this.#roundOf(name)
      if (!round) continue
      const bytes = encodeRelease({ kind: 'release', round, ...asker, keys })
      const id = recordIdOf(bytes)
      this.#core.ledger.add(id, bytes)
      const { mayWrite, participant, doc } = this.#core
      if (!mayWrite || recordsOf(doc).has(id)) this.#pending.delete(key)
      else if (asker.author === participant.id) this.#writeDown(key, round, id, bytes)
      else {
        const wait = writeDownAfter * (1 + Math.random())
        pending.timer = setTimeout(() => this.#writeDown(key, round, id, bytes), wait)
      }
    }
  }

  #writeDown(key: string, id: RoundId, release: RecordId, bytes: Uint8Array): void {
    const { doc, ledger } = this.#core
    if (!this.#pending.delete(key) || recordsOf(doc).has(release)) return
    const round = ledger.round(id)
    doc.transact(() => {
      addRecord(doc, bytes)
      const opens = round ? this.#depositor.releasedOpens(round, ledger.resolve(round)) : []
      for (const open of opens) this.#core.add(open)
    })
  }

  #roundOf(name: Uint8Array): RoundId | undefined {
    const known = this.#names.get(base32(name))
    if (known) return known
    const { ledger, options } = this.#core
    for (const round of ledger.roundIds()) this.#names.set(base32(escrowName(options.keys, round)), round)
    return this.#names.get(base32(name))
  }
}
