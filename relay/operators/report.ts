import type { CloseReason } from '../../shared/close-code.ts'
import type { CheckedTable } from '../store/store-protocol.ts'

/** Why a connection ended, or was not opened: `address` had too many of them. */
export type Refused = CloseReason | 'address'

/** Why another store got no copy: no `room` on the disk, `unfinished` when it gave up waiting, or anything else. */
export type NotGiven = 'room' | 'unfinished' | 'failed'

/** Everything the relay may ever log. Nothing here identifies a session or a person. */
export type Report =
  | { readonly event: 'listening'; readonly url: string; readonly region: string }
  | { readonly event: 'stopping'; readonly connections: number }
  | { readonly event: 'stopped' }
  | { readonly event: 'refused'; readonly reason: Refused; readonly times: number }
  | { readonly event: 'damagedRow'; readonly table: CheckedTable }
  | { readonly event: 'damagedDatabase'; readonly words: string }
  | { readonly event: 'mended'; readonly indexes: number }
  | { readonly event: 'expired'; readonly sessions: number }
  | { readonly event: 'storeRefused'; readonly reason: 'full' | 'unreachable'; readonly code: string }
  | { readonly event: 'storeStalled' }
  | { readonly event: 'storeRestarting' }
  | { readonly event: 'storeRecovered' }
  | { readonly event: 'storesSilent' }
  | { readonly event: 'storesAnswer' }
  | { readonly event: 'copied'; readonly region: string }
  | { readonly event: 'incomplete'; readonly region: string }
  | { readonly event: 'notGiven'; readonly reason: NotGiven; readonly error: string }
  | { readonly event: 'tracesLost' }
  | { readonly event: 'tracesArrive' }
  | { readonly event: 'failed'; readonly error: string }

/** How much each event is worth somebody's attention. */
export const reportLevels = {
  listening: 'info',
  stopping: 'info',
  stopped: 'info',
  refused: 'info',
  damagedRow: 'error',
  damagedDatabase: 'error',
  mended: 'warn',
  expired: 'info',
  storeRefused: 'error',
  storeStalled: 'error',
  storeRestarting: 'warn',
  storeRecovered: 'info',
  storesSilent: 'error',
  storesAnswer: 'info',
  copied: 'info',
  incomplete: 'error',
  notGiven: 'error',
  tracesLost: 'warn',
  tracesArrive: 'info',
  failed: 'error',
} as const satisfies Record<Report['event'], 'info' | 'warn' | 'error'>

export const damageWords =
  'Parts of the database in DATA_DIR are damaged. What can be read is served. Stop the relay and put a backup in its place, or move it away to start anew: devices bring back what they hold.'

export type Reporter = (report: Report) => void
