import { type Card, isSameCard } from './deck.ts'
import { boxKeyFor, closeBox, noBox } from './escrow.ts'
import {
  type ParticipantId,
  participantId,
  type RecordId,
  type RoundId,
  type SealId,
  type SessionId,
  type StoryId,
} from './id.ts'
import { derive, publicKeyOf, roleSeed, type SessionKeys, sign } from './keys.ts'
import type { Ledger, Topic } from './ledger.ts'
import {
  encodeOpen,
  encodeRecord,
  membershipStatement,
  type RecordOf,
  recordIdOf,
  type Signed,
  type Statement,
  sortedIds,
} from './record.ts'
import { decisiveSeals, type RoundState } from './round.ts'
import type { StandingRules } from './rules.ts'
import { type Choice, commit, noCard, nonceFor, type Open, openingOf, takesBack } from './seal.ts'

type Unsigned<S> = S extends { readonly author: unknown } ? Omit<S, 'author'> : never

/**
 * One participant of one session: makes the records they state, and knows what they owe. Every act reads the ledger and
 * returns the bytes of new records; adding them to the document is up to the caller.
 */
export class Participant {
  readonly id: ParticipantId
  readonly #keys: SessionKeys
  readonly #seed: Uint8Array
  /** Found by trying the cards, which takes a millisecond or two. */
  readonly #openings = new WeakMap<RecordOf<'seal'>, Open | undefined>()
  readonly #nonceKey: Uint8Array
  readonly #boxSecret: Uint8Array
  readonly #ledger: Ledger

  /** `seed`: 32 bytes that stay on this person's devices, see `participantSeed`. */
  constructor(keys: SessionKeys, seed: Uint8Array, ledger: Ledger) {
    this.#keys = keys
    this.#seed = seed
    this.#nonceKey = derive(this.#seed, 'nonce')
    this.#boxSecret = derive(this.#seed, 'box')
    this.#ledger = ledger
    this.id = participantId(publicKeyOf(this.#seed))
    ledger.voter = this.id
  }

  /** Tells a name, or changes it. Throws for an observer's keys, which cannot vouch for anybody. */
  introduce(name: string, observer = false): Uint8Array {
    const membership = this.#membership()
    const counter = (this.#ledger.profile(this.id)?.counter ?? 0) + 1
    return this.#state({ kind: 'profile', counter, name, observer, membership })
  }

  /** The owner makes themselves a facilitator. */
  takeChair(): Uint8Array[] {
    if (this.#keys.role !== 'owner') return []
    const author = participantId(this.#keys.publicKeys.subarray(0, 32))
    const grant: Signed = { kind: 'grant', author, participant: this.id, role: 'facilitator' }
    return [encodeRecord(this.#keys.session, grant, roleSeed(this.#keys))]
  }

  /** A facilitator makes somebody else one. */
  grant(participant: ParticipantId): Uint8Array {
    return this.#state({ kind: 'grant', participant, role: 'facilitator' })
  }

  /** Makes oneself a facilitator, when none is there. */
  takeOver(): Uint8Array {
    return this.grant(this.id)
  }

  /** For the rounds that are started from now on. */
  setRules({ who, auto, escrow }: Omit<StandingRules, 'id'>): Uint8Array {
    const replaces = sortedIds(this.#ledger.standingRules())
    return this.#state({ kind: 'rules', who, auto, escrow, replaces })
  }

  /** Takes back a round that nobody revealed, or an estimate. */
  withdraw(record: RecordId): Uint8Array {
    return this.#state({ kind: 'withdraw', record })
  }

  /** A new round on the story, after the last one there, even if that was taken back: so it is never the same again. */
  startRound(story: StoryId | undefined, cards: readonly Card[]): Uint8Array {
    const [last] = this.#ledger.allRounds(story ?? 'quick')
    return this.#state({ kind: 'round', story, cards, previous: last?.id, rules: this.#ledger.rules().id })
  }

  /** A vote, changed or (undefined) taken back. */
  choose(round: RoundId, choice: Choice | undefined): Uint8Array {
    const counter = Math.max(0, ...this.#ownSeals(round).map((seal) => seal.counter)) + 1
    const commitment = noCard
    if (!choice) return this.#state({ kind: 'seal', round, counter, commitment, box: noBox })
    const place = this.#place(round, counter)
    const nonce = nonceFor(this.#nonceKey, round, counter, choice)
    const started = this.#ledger.round(round)
    const key = boxKeyFor(this.#boxSecret, round, counter, choice)
    const box = started && this.#ledger.hasEscrow(started) ? closeBox(key, place, choice, nonce) : noBox
    return this.#state({ kind: 'seal', round, counter, commitment: commit(place, choice, nonce), box })
  }

  /** The choice behind this participant's latest seal; kept nowhere, found again by trying the cards. */
  choiceIn(round: RecordOf<'round'>): Choice | undefined {
    const latest = this.#ownSeals(round.id).sort((a, b) => b.counter - a.counter)[0]
    const opening = latest && this.openingOf(latest, round)
    return opening && { card: opening.card, unsure: opening.unsure }
  }

  /** What stands for this participant's vote in a round, or took it back. */
  latestSeal(round: RoundId): SealId | undefined {
    return this.latestSeals().get(round)?.id
  }

  /** Covers what everybody thought last, and not all that they thought before: that may be more than fits a record. */
  reveal(round: RoundId): Uint8Array {
    const cut = sortedIds(decisiveSeals(this.#ledger.of(round, 'seal')))
    const released = this.#ledger.boxesOf(round).map(({ release }) => release)
    const seen = [...this.#ledger.of(round, 'reveal'), ...released]
    return this.#state({ kind: 'reveal', round, cut, seen: sortedIds(seen.map(({ id }) => id)) })
  }

  admit(round: RoundId, seals: readonly SealId[]): Uint8Array {
    return this.#state({ kind: 'admit', round, seals: sortedIds(seals) })
  }

  /** Replaces every estimate of the story that is here. */
  settle(round: RecordOf<'round'>, card: number): Uint8Array {
    const replaces = sortedIds(this.#ledger.allEstimates(round).map(({ record }) => record.id))
    return this.#state({ kind: 'estimate', story: round.story, round: round.id, card, replaces })
  }

  /** What this participant owes the others: Opens, and votes carried to the rounds that go on. It follows from the records alone. */
  owed(): Uint8Array[] {
    const rounds = this.roundsToOpen().flatMap((id) => this.#ledger.round(id) ?? [])
    const opens = rounds.flatMap((round) => this.owedOpens(round, this.#ledger.resolve(round)))
    const votes = this.topicsToCarry().flatMap((topic) => {
      const current = this.#ledger.current(topic)
      const vote = current && this.owedVote(current)
      const isOpen = vote && this.#ledger.resolve(current).phase === 'voting'
      return isOpen ? [this.choose(current.id, vote)] : []
    })
    return [...opens, ...votes]
  }

  /**
   * The Opens this participant owes a round: of their own seals that a reveal or an admission covers, and of rivals with
   * the same counter, which are shown too. Never of any other seal.
   */
  owedOpens(round: RecordOf<'round'>, state: RoundState): Uint8Array[] {
    if (state.phase === 'voting') return []
    const hidden = this.#hiddenNow(round)
    const seals = this.#ownSeals(round.id)
    const top = Math.max(...seals.filter((seal) => state.cut.has(seal.id)).map((seal) => seal.counter))
    return seals
      .filter((seal) => seal.counter === top)
      .flatMap((seal) => this.openingOf(seal, round) ?? [])
      .filter(({ card }) => {
        const face = round.cards[card]
        return !(face && hidden && isSameCard(face, hidden))
      })
      .map(encodeOpen)
      .filter((bytes) => !this.#ledger.has(recordIdOf(bytes)))
  }

  /** Rounds that may be owed an Open: cheap, as only own votes are verified, so that all of a session can be looked through. */
  roundsToOpen(): RoundId[] {
    return [...this.latestSeals()]
      .filter(([, seal]) => !takesBack(seal) && !this.#ledger.isOpen(seal))
      .map(([round]) => round)
  }

  /**
   * This participant's hidden vote in a round that lost its place: to another started at the same time, or to the one
   * that goes on under other rules. Of several the one that was on the table last decides, also when the vote was taken back there.
   * Only to one that has all its cards, or whoever starts one would learn the card by who votes there.
   */
  owedVote(current: RecordOf<'round'>): Choice | undefined {
    if (this.latestSeal(current.id)) return undefined
    const rivals = this.#ledger
      .allRounds(current.story ?? 'quick')
      .filter((round) => round.previous === current.previous)
    const last = [...rivals, ...this.#underOtherRules(current)].find(
      ({ id }) => this.latestSeal(id) && !this.#ledger.withdrawn(id) && !this.#ledger.isRevealed(id),
    )
    const choice = last && this.choiceIn(last)
    const places = last?.cards.map((face) => current.cards.findIndex((other) => isSameCard(other, face)))
    const card = choice && !places?.includes(-1) ? places?.[choice.card] : undefined
    return choice && card !== undefined ? { ...choice, card } : undefined
  }

  /** What this participant had chosen in a round that was taken back for this one, which has other cards, and has not chosen anew. */
  leftBehind(current: RecordOf<'round'>): Card | undefined {
    let at: RecordOf<'round'> | undefined = current
    while (at && !this.latestSeal(at.id)) {
      at = at.previous && this.#ledger.round(at.previous)
      if (at && !this.#ledger.withdrawn(at.id)) return undefined
    }
    const choice = at && at !== current ? this.choiceIn(at) : undefined
    return choice && at?.cards[choice.card]
  }

  /** Where this participant may owe a vote: stories whose open round they voted in is not the current one. */
  topicsToCarry(): Topic[] {
    const topics = this.roundsToOpen().flatMap((id) => this.#ledger.round(id) ?? [])
    return [...new Set(topics.map((round) => round.story ?? 'quick'))]
  }

  /** What lies face down in the round that goes on instead: showing it here would show it there. */
  #hiddenNow(round: RecordOf<'round'>): Card | undefined {
    const current = this.#ledger.current(round.story ?? 'quick')
    if (!current || current.id === round.id || this.#ledger.isRevealed(current.id)) return undefined
    const choice = this.choiceIn(current)
    return choice && current.cards[choice.card]
  }

  /** The rounds before this one, as long as each was begun anew only because the rules changed. */
  #underOtherRules(current: RecordOf<'round'>): RecordOf<'round'>[] {
    const before: RecordOf<'round'>[] = []
    let at = current
    for (;;) {
      const previous = at.previous && this.#ledger.round(at.previous)
      if (!previous || previous.rules === at.rules || this.#ledger.isRevealed(previous.id)) return before
      before.push(previous)
      at = previous
    }
  }

  latestSeals(): Map<RoundId, RecordOf<'seal'>> {
    const latest = new Map<RoundId, RecordOf<'seal'>>()
    for (const seal of this.#ledger.sealsBy(this.id)) {
      if (seal.counter >= (latest.get(seal.round)?.counter ?? 0)) latest.set(seal.round, seal)
    }
    return latest
  }

  /** The member key's word that this participant belongs to the session. */
  #membership(): Uint8Array {
    if (!this.#keys.memberSeed) throw new Error('An observer cannot take part')
    return sign(membershipStatement(this.#keys.session, this.id), this.#keys.memberSeed)
  }

  /** The opening of a seal of this participant's. */
  openingOf(seal: RecordOf<'seal'>, round: RecordOf<'round'>): Open | undefined {
    if (takesBack(seal)) return undefined
    if (!this.#openings.has(seal)) {
      const place = this.#place(round.id, seal.counter)
      this.#openings.set(seal, openingOf(place, seal, round.cards.length, this.#nonceKey))
    }
    return this.#openings.get(seal)
  }

  #ownSeals(round: RoundId): RecordOf<'seal'>[] {
    return this.#ledger.of(round, 'seal').filter((seal) => seal.author === this.id)
  }

  #place(round: RoundId, counter: number) {
    const session: SessionId = this.#keys.session
    return { session, round, voter: this.id, counter }
  }

  #state(statement: Unsigned<Signed> & Statement): Uint8Array {
    return encodeRecord(this.#keys.session, { ...statement, author: this.id }, this.#seed)
  }
}
