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
  const grantedBy = byAuthor(grants)
  const granted = spread([owner], grantedBy)
  const alone = grants.filter((grant) => grant.author === grant.participant && isMember(grant.author))
  const tookOver = new Set(alone.map(({ author }) => author).filter((author) => !granted.has(author)))
  const facilitators = spread([...granted, ...tookOver], grantedBy)
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

/** Everybody that those can make a facilitator, one through the other, and they themselves. Looks at each grant once: anybody can write many. */
function spread(
  from: Iterable<ParticipantId>,
  grantedBy: ReadonlyMap<ParticipantId, readonly ParticipantId[]>,
): Set<ParticipantId> {
  const reached = new Set(from)
  // A set goes on with what is added to it on the way.
  for (const author of reached) {
    for (const participant of grantedBy.get(author) ?? []) reached.add(participant)
  }
  return reached
}

function byAuthor(grants: readonly RecordOf<'grant'>[]): Map<ParticipantId, ParticipantId[]> {
  const grantedBy = new Map<ParticipantId, ParticipantId[]>()
  for (const { author, participant } of grants) {
    const granted = grantedBy.get(author)
    if (granted) granted.push(participant)
    else grantedBy.set(author, [participant])
  }
  return grantedBy
}
