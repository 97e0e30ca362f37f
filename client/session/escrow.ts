import { openBoxes } from '../../shared/boxes.ts'
import { Depositor } from '../../shared/depositor.ts'
import { addRecord, recordsOf } from '../../shared/document.ts'
import { decodeReleased, escrowName, type Released, releaseStatement } from '../../shared/escrow.ts'
import {
  base32,
  idBytes,
  type ParticipantId,
  type RecordId,
  type RoundId,
  type SealId,
} from '../../shared/id.ts'
import { verify } from '../../shared/keys.ts'
import { encodeRelease, membershipStatement, type RecordOf, recordIdOf } from '../../shared/record.ts'
import type { SessionCore } from './core.ts'

/** Voters who are here open their own cards within this time; then the store is asked for the others'. */
const patience = 2_000
/** As long as a portion of the looking may hold up the page, in milliseconds. */
const portion = 12
/** Who seems to be here but does not open is looked at so often: a phone may have just gone to sleep. */
const looksAtPresent = 3
/** Everybody gets the keys, but only one needs to write them down: the asker does at once, the others if nobody did. */
const writeDownAfter = 2_000

/** Of rounds nobody here knows, or seals; more can only be rubbish. */
const mostPending = 64

interface Pending {
  readonly released: Released
  timer?: ReturnType<typeof setTimeout>
  /** How many seals there were when its keys opened none more. */
  tried?: number
}

/** The client's part of the blind escrow: deposits the keys of own boxes, asks for those of a revealed round, and opens what it gets. */
export class Escrow {
  readonly #core: SessionCore
  readonly #depositor: Depositor
  /** Seals whose keys the store has committed. */
  readonly #kept = new Set<SealId>()
  /** What was sent of a round on which connection: the same once on each. */
  readonly #sent = new Map<RoundId, { readonly on: unknown; readonly what: string }>()
  readonly #asked = new Map<RoundId, unknown>()
  /** Released keys that are not in the document yet, by hash; `timer` once their round is known. */
  readonly #pending = new Map<string, Pending>()
  readonly #names = new Map<string, RoundId>()
  readonly #named = new Set<RoundId>()
  /** How often a round was seen with cards that nobody opened. */
  readonly #looks = new Map<RoundId, number>()
  /** What the deposits were considered for last: nothing else decides about them. */
  #considered: { readonly on: unknown; readonly what: string } | undefined
  #looking: ReturnType<typeof setTimeout> | undefined
  #retrying: ReturnType<typeof setTimeout> | undefined

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
    const { link, participant } = this.#core
    const own = this.#depositor.deposit(round, false)
    if (!own || !link?.connection) return
    this.#sent.set(round.id, { on: link.connection, what: `${participant.latestSeal(round.id)} true false` })
    link.deposit(own.of, own.deposit)
  }

  /** Something changed: sees to what is not deposited, and looks for rounds that stay closed. */
  consider(): void {
    const { link, ledger, mayWrite } = this.#core
    this.#readPending()
    if (!mayWrite || !link?.connection) return
    this.#looking ??= setTimeout(() => this.#look(), patience)
    const state = `${ledger.size} ${link.waiting === 0}`
    if (this.#considered?.on === link.connection && this.#considered.what === state) return
    this.#considered = { on: link.connection, what: state }
    for (const { round, latest, current } of this.#depositor.roundsToDeposit()) {
      const forget = this.#kept.has(latest) && link.waiting === 0
      const sent = this.#sent.get(round.id)
      const what = `${latest} ${current} ${forget}`
      if (sent?.on === link.connection && sent.what === what) continue
      this.#sent.set(round.id, { on: link.connection, what })
      const own = this.#depositor.deposit(round, forget)
      if (own && !(forget && own.deposit.replaces.length === 0)) link.deposit(own.of, own.deposit)
    }
  }

  /** Asks at once when somebody whose card is covered is not here. */
  askFor(round: RoundId, here: ReadonlySet<ParticipantId>): void {
    if (this.#sealedVoters(round).some((voter) => !here.has(voter))) this.#ask(round)
  }

  deposited(seal: SealId, kept: boolean): void {
    if (kept === this.#kept.has(seal)) return
    if (kept) this.#kept.add(seal)
    else this.#kept.delete(seal)
    this.#considered = undefined
    this.#core.change()
  }

  /** The store could not just now: everything is tried again, after a while. */
  refused(): void {
    this.#asked.clear()
    this.#retrying ??= setTimeout(() => {
      this.#retrying = undefined
      this.#sent.clear()
      this.#considered = undefined
      this.consider()
    }, patience)
  }

  /** Rubbish in a store's name is nothing. */
  released(body: Uint8Array): void {
    const released = decodeReleased(body)
    if (!released) return
    const unknown = [...this.#pending].filter(([, { timer }]) => timer === undefined)
    const [oldest] = unknown
    if (oldest && unknown.length >= mostPending) this.#pending.delete(oldest[0])
    const name = recordIdOf(body)
    if (!this.#pending.has(name)) this.#pending.set(name, { released })
    this.#readPending()
    this.#core.change()
  }

  /** True while keys came that are in no document: a place in the log behind them would lose them. */
  get holds(): boolean {
    return [...this.#pending.values()].some(({ timer }) => timer !== undefined)
  }

  stop(): void {
    clearTimeout(this.#looking)
    clearTimeout(this.#retrying)
    for (const { timer } of this.#pending.values()) clearTimeout(timer)
  }

  /** Piece by piece: whether an Open fits has to be computed, and a long session has thousands. */
  async #look(): Promise<void> {
    this.#looking = undefined
    const { ledger, here, options } = this.#core
    let again = false
    let begun = performance.now()
    for (const round of ledger.roundIds()) {
      if (options.pause && performance.now() - begun > portion) {
        await options.pause()
        begun = performance.now()
      }
      const sealed = this.#depositor.isUnopened(round) ? this.#sealedVoters(round) : []
      if (sealed.length === 0) {
        this.#looks.delete(round)
        continue
      }
      const looks = (this.#looks.get(round) ?? 0) + 1
      this.#looks.set(round, looks)
      const allHere = sealed.every((voter) => here.has(voter))
      if (!allHere || looks > looksAtPresent) this.#ask(round)
      else again = true
    }
    if (again) this.#looking ??= setTimeout(() => this.#look(), patience)
  }

  /**
   * Whose cards are covered by the cut and not open, in a round that began with escrow. Also where a key did not open the box:
   * it may not have been the store's.
   */
  #sealedVoters(id: RoundId): ParticipantId[] {
    const { ledger } = this.#core
    const round = ledger.round(id)
    const state = round && ledger.beganWithEscrow(round) ? ledger.resolve(round) : undefined
    if (!state || state.phase === 'voting') return []
    return [...state.votes].flatMap(([voter, { state }]) =>
      state === 'sealed' || state === 'unopenable' ? [voter] : [],
    )
  }

  #ask(round: RoundId): void {
    const { link, mayWrite } = this.#core
    if (!mayWrite || !link?.connection || this.#asked.get(round) === link.connection) return
    this.#asked.set(round, link.connection)
    const { round: name, asker } = this.#depositor.askForRelease(round)
    link.askForRelease(name, asker)
  }

  /** What came for a round that is known counts at once, if it opens more; one of all writes it down for those who come later. */
  #readPending(): void {
    const { ledger, mayWrite, participant, doc } = this.#core
    for (const [key, pending] of this.#pending) {
      const { round: name, asker, keys } = pending.released
      const round = pending.timer ? undefined : this.#roundOf(name)
      if (!round) continue
      const bytes = encodeRelease({ kind: 'release', round, ...asker, keys })
      const id = recordIdOf(bytes)
      const isWritten = recordsOf(doc).has(id)
      if (!isWritten && !this.#opensMore(pending, round, id)) continue
      const isReal = isWritten || this.#isAsked(pending.released)
      if (isReal) ledger.add(id, bytes)
      if (!mayWrite || isWritten || !isReal) this.#pending.delete(key)
      else if (asker.author === participant.id) this.#writeDown(key, round, id, bytes)
      else {
        const wait = writeDownAfter * (1 + Math.random())
        pending.timer = setTimeout(() => this.#writeDown(key, round, id, bytes), wait)
      }
    }
  }

  /**
   * Keys that open no more than is open wait for other seals: a relay can make up as many as it likes, and the document would keep
   * them all.
   */
  #opensMore(pending: Pending, round: RoundId, id: RecordId): boolean {
    const { ledger, options } = this.#core
    const seals = ledger.of(round, 'seal')
    if (pending.tried === seals.length) return false
    pending.tried = seals.length
    const { asker, keys } = pending.released
    const known = new Set(ledger.boxesOf(round, seals).flatMap(({ opened }) => [...opened.keys()]))
    const { opened } = openBoxes(options.keys, { kind: 'release', id, round, ...asker, keys }, seals)
    return [...opened.keys()].some((seal) => !known.has(seal))
  }

  /** Whether a participant has asked for them. */
  #isAsked({ round, asker }: Released): boolean {
    const { session, publicKeys } = this.#core.options.keys
    const { author, membership, reveal, signature } = asker
    return (
      verify(signature, releaseStatement(session, round, reveal), idBytes(author)) &&
      verify(membership, membershipStatement(session, author), publicKeys.subarray(32, 64))
    )
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
    for (const round of ledger.roundIds()) {
      if (this.#named.has(round)) continue
      this.#named.add(round)
      this.#names.set(base32(escrowName(options.keys, round)), round)
    }
    return this.#names.get(base32(name))
  }
}
