import type { CloseReason } from '../shared/close-code.ts'
import type { CheckedTable } from './store-protocol.ts'

/** Everything the relay may ever log. Nothing here identifies a session or a person. */
export type Report =
  | { readonly event: 'listening'; readonly url: string; readonly region: string }
  | { readonly event: 'stopping'; readonly connections: number }
  | { readonly event: 'stopped' }
  | { readonly event: 'refused'; readonly reason: CloseReason; readonly times: number }
  | { readonly event: 'damagedRow'; readonly table: CheckedTable }
  | { readonly event: 'damagedDatabase'; readonly words: string }
  | { readonly event: 'mended'; readonly indexes: number }
  | { readonly event: 'expired'; readonly sessions: number }
  | { readonly event: 'storeRefused'; readonly reason: 'full' | 'unreachable'; readonly code: string }
  | { readonly event: 'storeStalled' }
  | { readonly event: 'storeRestarting' }
  | { readonly event: 'storeRecovered' }
  | { readonly event: 'failed'; readonly error: string }

export const damageWords =
  'Parts of the database in DATA_DIR are damaged. What can be read is served. Stop the relay and put a backup in its place, or move it away to start anew: devices bring back what they hold.'

export type Reporter = (report: Report) => void

/** One JSON object a line on standard output; the first line is for people. */
export function reportTo(write: (line: string) => void): Reporter {
  return (report) => {
    if (report.event === 'listening') write(`Facedown relay (${report.region}) listens on ${report.url}\n`)
    else write(`${JSON.stringify(report)}\n`)
  }
}
