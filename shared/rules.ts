/** Who may decide: what grants and rules come to, pure functions of those that count. */
import type { ParticipantId, RecordId } from './id.ts'
import type { RecordOf, Who } from './record.ts'

/** What holds for new rounds. `id` is undefined while nobody has decided anything. */
export interface StandingRules {
  readonly who: Who
  readonly auto: boolean
  readonly escrow: boolean
  readonly id: RecordId | undefined
}

export interface Offices {
  /** Whom the owner's key, or a facilitator in turn, made a facilitator, and who took over. Nobody stops being one. */
  readonly facilitators: ReadonlySet<ParticipantId>
  /** Facilitators by nothing but their own statement. Whether nobody else was there cannot be proven, so all see who they are. */
  readonly tookOver: ReadonlySet<ParticipantId>
}

export function findOffices(
  owner: ParticipantId,
  grants: readonly RecordOf<'grant'>[],
  isMember: (participant: ParticipantId) => boolean,
): Offices {
  const granted = spread(new Set([owner]), grants)
  const alone = grants.filter((grant) => grant.author === grant.participant && isMember(grant.author))
  const tookOver = new Set(alone.map(({ author }) => author).filter((author) => !granted.has(author)))
  const facilitators = spread(new Set([...granted, ...tookOver]), grants)
  facilitators.delete(owner)
  return { facilitators, tookOver }
}

export function unreplacedRules(rules: readonly RecordOf<'rules'>[]): RecordOf<'rules'>[] {
  const replaced = new Set(rules.flatMap((record) => record.replaces))
  return rules.filter((record) => !replaced.has(record.id))
}

/** Of rules set apart from each other the stricter hold. */
export function strictestRules(rules: readonly RecordOf<'rules'>[]): StandingRules {
  const strictness = ({ who, auto, escrow }: RecordOf<'rules'>) =>
    (who === 'facilitators' ? 4 : 0) + (escrow ? 0 : 2) + (auto ? 0 : 1)
  const [strictest] = unreplacedRules(rules).sort(
    (a, b) => strictness(b) - strictness(a) || (a.id < b.id ? -1 : 1),
  )
  return strictest ?? { who: 'anybody', auto: false, escrow: true, id: undefined }
}

/** Everybody that those can make a facilitator, one through the other, and they themselves. */
function spread(from: Set<ParticipantId>, grants: readonly RecordOf<'grant'>[]): Set<ParticipantId> {
  let before: number
  do {
    before = from.size
    for (const { author, participant } of grants) if (from.has(author)) from.add(participant)
  } while (from.size > before)
  return from
}
