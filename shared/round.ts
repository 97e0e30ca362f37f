/** What a round has come to: one pure function of the set of its records, the same for any order or repetition. */
import type { BoxesOpened } from './boxes.ts'
import type { Card } from './deck.ts'
import type { ParticipantId, RecordId, SealId, SessionId } from './id.ts'
import type { RecordOf } from './record.ts'
import { type Open, opens, takesBack } from './seal.ts'

/** What became of one participant's vote once the round is revealed. `card` is a place in the round's cards. */
export type Vote =
  | { readonly state: 'counted'; readonly card: number; readonly unsure: boolean }
  /** In the cut, not opened yet: it opens when the voter is back, or by the key of its box. */
  | { readonly state: 'sealed' }
  /** In the cut, and the released key does not open its box, or what is in it is not what was sealed. */
  | { readonly state: 'unopenable' }
  /** In nobody's cut: shown, not counted, until somebody admits it. */
  | { readonly state: 'late'; readonly seals: readonly SealId[] }
  /** Two different seals with the counter that decides: both shown, neither counted. */
  | { readonly state: 'void'; readonly cards: readonly number[] }

/** An estimate nobody replaced. */
export interface Settled {
  readonly estimate: RecordId
  readonly by: ParticipantId
  readonly card: Card
}

interface Revealed {
  readonly votes: ReadonlyMap<ParticipantId, Vote>
  readonly revealedBy: readonly ParticipantId[]
  /** Those of them who had the store release the keys and published no Reveal. */
  readonly withoutReveal: readonly ParticipantId[]
  /** The seals that count or will count once opened. */
  readonly cut: ReadonlySet<SealId>
}

/** A round as every replica sees it. */
export type RoundState =
  | { readonly phase: 'voting'; readonly voted: ReadonlySet<ParticipantId> }
  | ({ readonly phase: 'revealed' } & Revealed)
  | ({ readonly phase: 'settled'; readonly estimate: Settled } & Revealed)
  | ({ readonly phase: 'conflict'; readonly estimates: readonly Settled[] } & Revealed)

/** The valid records of one round. Their order means nothing. */
export interface RoundRecords {
  readonly session: SessionId
  readonly round: RecordOf<'round'>
  readonly seals: readonly RecordOf<'seal'>[]
  readonly reveals: readonly RecordOf<'reveal'>[]
  readonly admits: readonly RecordOf<'admit'>[]
  readonly opens: readonly RecordOf<'open'>[]
  readonly releases: readonly BoxesOpened[]
  /** Of the round's whole story, with the card each names: an estimate of one round can replace another's. */
  readonly estimates: readonly StoryEstimate[]
}

export interface StoryEstimate {
  readonly record: RecordOf<'estimate'>
  readonly card: Card
}

export function resolveRound(records: RoundRecords): RoundState {
  const seals = sealsByVoter(records.seals)
  if (records.reveals.length + records.releases.length === 0) {
    const voted = [...seals].filter(([, own]) => highest(own).some((seal) => !takesBack(seal)))
    return { phase: 'voting', voted: new Set(voted.map(([voter]) => voter)) }
  }
  const cut = cutOf(records)
  const opened = openedChoices(records)
  const failed = new Set(records.releases.flatMap((release) => [...release.failed]))
  const votes = new Map<ParticipantId, Vote>()
  for (const voter of [...seals.keys()].sort()) {
    const vote = voteOf(seals.get(voter) ?? [], cut, opened, failed)
    if (vote) votes.set(voter, vote)
  }
  const withoutReveal = distinct(unannounced(records).map(({ release }) => release.author))
  const revealedBy = distinct([...records.reveals.map((reveal) => reveal.author), ...withoutReveal])
  const revealed: Revealed = { votes, revealedBy, withoutReveal, cut }
  const standing = standingEstimates(records.estimates)
  if (!standing.some((estimate) => estimate.record.round === records.round.id)) {
    return { phase: 'revealed', ...revealed }
  }
  const values = distinctValues(standing)
  const [estimate] = values
  return estimate && values.length === 1
    ? { phase: 'settled', ...revealed, estimate }
    : { phase: 'conflict', ...revealed, estimates: standing.map(settled) }
}

/** The votes that count, none before the reveal. */
export function votesOf(state: RoundState): { voter: ParticipantId; card: number; unsure: boolean }[] {
  if (state.phase === 'voting') return []
  return [...state.votes].flatMap(([voter, vote]) =>
    vote.state === 'counted' ? [{ voter, card: vote.card, unsure: vote.unsure }] : [],
  )
}

/** The estimates of a story that no other replaces, in the order of the cards, then by record id. */
export function standingEstimates(estimates: readonly StoryEstimate[]): StoryEstimate[] {
  const replaced = new Set(estimates.flatMap((estimate) => estimate.record.replaces))
  return [...new Map(estimates.map((estimate) => [estimate.record.id, estimate])).values()]
    .filter((estimate) => !replaced.has(estimate.record.id))
    .sort((a, b) => a.record.card - b.record.card || (a.record.id < b.record.id ? -1 : 1))
}

/** One estimate for each different card; more than one is a conflict. */
export function distinctValues(standing: readonly StoryEstimate[]): Settled[] {
  const byFace = new Map<string, Settled>()
  for (const estimate of standing) {
    const face = JSON.stringify([estimate.card.label, estimate.card.number])
    if (!byFace.has(face)) byFace.set(face, settled(estimate))
  }
  return [...byFace.values()]
}

/**
 * The last of the chain first. Of a story's rounds that is the one on the table: the longest chain of "vote again" wins, then the lower
 * id. So two rounds started apart are both kept, and every replica goes on with the same one.
 */
export function inChainOrder(rounds: readonly RecordOf<'round'>[]): RecordOf<'round'>[] {
  const byId = new Map(rounds.map((round) => [round.id, round]))
  const depths = new Map<RecordId, number>()
  const depthOf = (round: RecordOf<'round'>): number => {
    const chain: RecordOf<'round'>[] = []
    let at: RecordOf<'round'> | undefined = round
    while (at && !depths.has(at.id)) {
      chain.push(at)
      at = at.previous && byId.get(at.previous) // ends: a round names its previous one by hash
    }
    let depth = at ? (depths.get(at.id) ?? 0) : 0
    for (const link of chain.reverse()) depths.set(link.id, ++depth)
    return depths.get(round.id) ?? 0
  }
  return [...byId.values()].sort((a, b) => depthOf(b) - depthOf(a) || (a.id < b.id ? -1 : 1))
}

/** Of each voter the seal that decides. */
export function decisiveSeals(seals: readonly RecordOf<'seal'>[]): SealId[] {
  return [...sealsByVoter(seals).values()].flatMap((own) => highest(own)[0]?.id ?? [])
}

function distinct(participants: readonly ParticipantId[]): ParticipantId[] {
  return [...new Set(participants)].sort()
}

function sealsByVoter(seals: readonly RecordOf<'seal'>[]): Map<ParticipantId, RecordOf<'seal'>[]> {
  const byVoter = new Map<ParticipantId, Map<SealId, RecordOf<'seal'>>>()
  for (const seal of seals) {
    const own = byVoter.get(seal.author) ?? new Map<SealId, RecordOf<'seal'>>()
    byVoter.set(seal.author, own.set(seal.id, seal))
  }
  return new Map([...byVoter].map(([voter, own]) => [voter, [...own.values()]]))
}

/** The seals with the highest counter: one, unless the voter contradicts themselves. */
function highest(seals: readonly RecordOf<'seal'>[]): RecordOf<'seal'>[] {
  const top = Math.max(...seals.map((seal) => seal.counter))
  return seals.filter((seal) => seal.counter === top).sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** A reveal made in knowledge of another adds nothing, so nobody widens the cut after having seen cards. */
function cutOf(records: RoundRecords): Set<SealId> {
  const first = records.reveals.filter((reveal) => reveal.seen.length === 0)
  const covered = first.length > 0 ? first.flatMap((reveal) => reveal.cut) : openedUnannounced(records)
  return new Set([...covered, ...records.admits.flatMap((admit) => admit.seals)])
}

/** Beside a reveal that decides, released keys add nothing: a late vote stays late, also when its key came out. */
function openedUnannounced(records: RoundRecords): SealId[] {
  const opened = unannounced(records).flatMap((release) => [...release.opened.keys()])
  const takenBack = records.seals.filter(takesBack).map(({ id }) => id)
  return opened.length > 0 ? [...opened, ...takenBack] : []
}

/** Releases whose asker published no Reveal: what their keys open is the cut, and everybody sees who asked. */
function unannounced(records: RoundRecords): BoxesOpened[] {
  const reveals = new Set(records.reveals.map((reveal) => reveal.id))
  return records.releases.filter(({ release }) => !release.reveal || !reveals.has(release.reveal))
}

function openedChoices(records: RoundRecords): Map<SealId, Open> {
  const seals = new Map(records.seals.map((seal) => [seal.id, seal]))
  const opened = new Map<SealId, Open>()
  for (const release of records.releases) {
    for (const [seal, open] of release.opened) if (records.round.cards[open.card]) opened.set(seal, open)
  }
  for (const open of records.opens) {
    const seal = seals.get(open.seal)
    if (!seal || opened.has(seal.id) || !records.round.cards[open.card]) continue
    if (fits(open, seal, records.session)) opened.set(seal.id, open)
  }
  return opened
}

const fitting = new WeakMap<RecordOf<'open'>, { seal: RecordOf<'seal'>; session: SessionId; fits: boolean }>()

/** Remembered: of fifty cards that are opened one after the other, the first would be hashed fifty times. */
export function fits(open: RecordOf<'open'>, seal: RecordOf<'seal'>, session: SessionId): boolean {
  const known = fitting.get(open)
  if (known?.seal === seal && known.session === session) return known.fits
  const place = { session, round: seal.round, voter: seal.author, counter: seal.counter }
  const made = { seal, session, fits: opens(open, place, seal.commitment) }
  fitting.set(open, made)
  return made.fits
}

function voteOf(
  seals: readonly RecordOf<'seal'>[],
  cut: ReadonlySet<SealId>,
  opened: ReadonlyMap<SealId, Open>,
  failed: ReadonlySet<SealId>,
): Vote | undefined {
  const counting = seals.filter((seal) => cut.has(seal.id))
  const [decisive] = highest(counting)
  if (!decisive) return lateVote(seals)
  const rivals = highest(seals.filter((seal) => seal.counter <= decisive.counter))
  if (rivals.length > 1) {
    const cards = rivals.flatMap((seal) => opened.get(seal.id)?.card ?? [])
    return { state: 'void', cards: cards.sort((a, b) => a - b) }
  }
  if (takesBack(decisive)) return lateVote(seals.filter((seal) => seal.counter > decisive.counter))
  const open = opened.get(decisive.id)
  if (open) return { state: 'counted', card: open.card, unsure: open.unsure }
  return { state: failed.has(decisive.id) ? 'unopenable' : 'sealed' }
}

function lateVote(seals: readonly RecordOf<'seal'>[]): Vote | undefined {
  const late = highest(seals).filter((seal) => !takesBack(seal))
  return late.length > 0 ? { state: 'late', seals: late.map((seal) => seal.id) } : undefined
}

function settled(estimate: StoryEstimate): Settled {
  return { estimate: estimate.record.id, by: estimate.record.author, card: estimate.card }
}
