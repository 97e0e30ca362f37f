import type { ProcessSeen } from '../../shared/status.ts'

/** A store that is well, but for what is said otherwise. */
export function aStore(otherwise: Partial<ProcessSeen> = {}): ProcessSeen {
  return {
    kind: 'store',
    region: 'eu',
    version: '1.0.0',
    startedAt: 1_000,
    heardAt: 2_000,
    isHeard: true,
    isReady: true,
    isHere: false,
    shards: '0-63',
    connections: null,
    behind: {},
    ...otherwise,
  }
}
