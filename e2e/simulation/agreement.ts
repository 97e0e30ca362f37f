import type { SessionCore } from '../../client/session/core.ts'
import { recordsOf } from '../../shared/document.ts'
import type { RoundId } from '../../shared/id.ts'
import type { Chance } from '../../shared/testing.ts'
import type { Peer } from './peer.ts'

/**
 * Devices with the same records must have come to the same, those too that came with a release and are in no document yet.
 * Looks at one round at a time.
 */
export function checkAgreement(peers: readonly Peer[], chance: Chance): void {
  const first = chance.pick(peers).core
  const topic = first && chance.pick(first.ledger.topics())
  const round = topic && chance.pick(first.ledger.rounds(topic))
  if (!round) return
  const own = recordSetOf(first)
  const expected = resolvedIn(first, round.id)
  for (const { name, core } of peers) {
    if (!core || core === first || core.ledger.size !== first.ledger.size || recordSetOf(core) !== own)
      continue
    if (resolvedIn(core, round.id) !== expected) {
      throw new Error(`${name} sees something else than another device with the same records`)
    }
  }
}

export function recordSetOf({ doc }: SessionCore): string {
  return [...recordsOf(doc).keys()].sort().join()
}

/** What a device makes of all its rounds. */
export function resolvedRounds(core: SessionCore): string {
  const rounds = core.ledger.topics().flatMap((topic) => core.ledger.allRounds(topic))
  const current = core.ledger.topics().map((topic) => `${topic} ${core.ledger.current(topic)?.id}`)
  return [...rounds.map(({ id }) => `${id} ${resolvedIn(core, id)}`).sort(), ...current.sort()].join('\n')
}

function resolvedIn({ ledger }: SessionCore, id: RoundId): string {
  const round = ledger.round(id)
  return round ? JSON.stringify([ledger.resolve(round), ledger.withdrawn(id)], withSets) : 'not counting'
}

function withSets(_key: string, value: unknown): unknown {
  if (value instanceof Map) return [...value].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  return value instanceof Set ? [...value].sort() : value
}
