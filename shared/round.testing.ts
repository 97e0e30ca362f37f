/** Builders for tests of the resolver: decoded records with made-up ids and no signatures, but with real commitments. */
import type { BoxesOpened } from './boxes.ts'
import type { Card } from './deck.ts'
import { noBox } from './escrow.ts'
import {
  base32,
  idBytes,
  type ParticipantId,
  participantId,
  type RecordId,
  recordId,
  type StoryId,
} from './id.ts'
import type { RecordOf, StoredRecord } from './record.ts'
import { type RoundRecords, type RoundState, resolveRound, type StoryEstimate } from './round.ts'
import { type Choice, commit, noCard, type Open } from './seal.ts'
import { bytesOf, Chance, cards, memberKeys } from './testing.ts'

export const alice = participantId(bytesOf(0xa1))
export const bob = participantId(bytesOf(0xb0))
export const carol = participantId(bytesOf(0xca))

/** Rounds get their ids from here, so that the commitments of one history serve the next. */
const roundIds = Array.from({ length: 12 }, (_, at) => recordId(bytesOf(at * 20 + 7, 16)))
const nonce = bytesOf(9)
const noKey = 255
const commitments = new Map<string, Uint8Array>()

export class PlainRecords {
  readonly #chance: Chance
  readonly #roundIds: RecordId[]
  readonly #choices = new Map<RecordId, Choice>()

  constructor(chance = new Chance(1)) {
    this.#chance = chance
    this.#roundIds = chance.shuffled(roundIds)
  }

  round(author: ParticipantId, story?: StoryId, previous?: RecordId): RecordOf<'round'> {
    const id = this.#roundIds.pop() ?? this.#id()
    return { kind: 'round', id, author, story, cards, previous, rules: undefined }
  }

  /** Without a card: the vote is taken back. */
  seal(round: RecordId, author: ParticipantId, counter: number, card?: number): RecordOf<'seal'> {
    const id = this.#id()
    const seal = { kind: 'seal' as const, id, author, round, counter, box: noBox }
    if (card === undefined) return { ...seal, commitment: noCard }
    const choice = { card, unsure: false }
    this.#choices.set(id, choice)
    const key = `${round} ${author} ${counter} ${card}`
    const place = { session: memberKeys.session, round, voter: author, counter }
    const commitment = commitments.get(key) ?? commit(place, choice, nonce)
    commitments.set(key, commitment)
    return { ...seal, commitment }
  }

  open(seal: RecordOf<'seal'>): RecordOf<'open'> {
    const choice = this.#choices.get(seal.id)
    if (!choice) throw new Error('A seal of no card has no opening')
    return { kind: 'open', id: this.#id(), seal: seal.id, ...choice, nonce }
  }

  reveal(
    round: RecordId,
    author: ParticipantId,
    cut: readonly RecordId[],
    seen: readonly RecordId[] = [],
  ): RecordOf<'reveal'> {
    return { kind: 'reveal', id: this.#id(), author, round, cut, seen }
  }

  /** Of the given seals the keys open their boxes, except those of `wrong`. */
  release(
    round: RecordId,
    author: ParticipantId,
    reveal: RecordId | undefined,
    seals: readonly RecordOf<'seal'>[],
    wrong: ReadonlySet<RecordId> = new Set(),
  ): RecordOf<'release'> {
    const keys = seals.flatMap((seal) => {
      const card = wrong.has(seal.id) ? noKey : this.#choices.get(seal.id)?.card
      return card === undefined ? [] : [{ seal: idBytes(seal.id), key: Uint8Array.of(card) }]
    })
    const signed = { membership: nonce, signature: nonce }
    return { kind: 'release', id: this.#id(), author, round, reveal, ...signed, keys }
  }

  admit(round: RecordId, author: ParticipantId, seals: readonly RecordId[]): RecordOf<'admit'> {
    return { kind: 'admit', id: this.#id(), author, round, seals }
  }

  estimate(
    round: RecordOf<'round'>,
    author: ParticipantId,
    card: number,
    replaces: readonly RecordId[] = [],
  ): RecordOf<'estimate'> {
    return { kind: 'estimate', id: this.#id(), author, story: round.story, round: round.id, card, replaces }
  }

  #id(): RecordId {
    return base32(this.#chance.bytes(16)) as RecordId
  }
}

/** Picks the round's records out of many, as the ledger does. */
function recordsOfRound(round: RecordOf<'round'>, records: readonly StoredRecord[]): RoundRecords {
  const seals: RecordOf<'seal'>[] = []
  const reveals: RecordOf<'reveal'>[] = []
  const admits: RecordOf<'admit'>[] = []
  const opens: RecordOf<'open'>[] = []
  const releases: RecordOf<'release'>[] = []
  const estimates: StoryEstimate[] = []
  const faces = new Map<RecordId, readonly Card[]>()
  for (const record of records) if (record.kind === 'round') faces.set(record.id, record.cards)
  for (const record of records) {
    if (record.kind === 'estimate') {
      const card = faces.get(record.round)?.[record.card]
      if (card && record.story === round.story) estimates.push({ record, card })
    } else if (record.kind === 'open') opens.push(record)
    else if (record.kind === 'seal' && record.round === round.id) seals.push(record)
    else if (record.kind === 'reveal' && record.round === round.id) reveals.push(record)
    else if (record.kind === 'admit' && record.round === round.id) admits.push(record)
    else if (record.kind === 'release' && record.round === round.id) releases.push(record)
  }
  const boxes = releases.map((release) => boxesOpened(release, seals)).filter(({ opened }) => opened.size > 0)
  return { session: memberKeys.session, round, seals, reveals, admits, opens, releases: boxes, estimates }
}

/** Here a key is the card it shows. */
function boxesOpened(release: RecordOf<'release'>, seals: readonly RecordOf<'seal'>[]): BoxesOpened {
  const keys = new Map(release.keys.map(({ seal, key }) => [base32(seal), key[0] ?? noKey]))
  const opened = new Map<RecordId, Open>()
  const failed = new Set<RecordId>()
  for (const { id } of seals) {
    const card = keys.get(id)
    if (card === noKey) failed.add(id)
    else if (card !== undefined) opened.set(id, { kind: 'open', seal: id, card, unsure: false, nonce })
  }
  return { release, opened, failed }
}

export function resolve(round: RecordOf<'round'>, records: readonly StoredRecord[]): RoundState {
  return resolveRound(recordsOfRound(round, records))
}
