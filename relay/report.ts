import type { CloseReason } from '../shared/close-code.ts'

/** Everything the relay may ever log. Nothing here identifies a session or a person. */
export type Report =
  | { readonly event: 'listening'; readonly url: string; readonly region: string }
  | { readonly event: 'stopping'; readonly connections: number }
  | { readonly event: 'stopped' }
  | { readonly event: 'refused'; readonly reason: CloseReason; readonly times: number }
  | { readonly event: 'damagedRow'; readonly table: 'entries' | 'snapshots' }
  | { readonly event: 'expired'; readonly sessions: number }
  | { readonly event: 'storeRefused'; readonly reason: 'full' | 'unreachable'; readonly code: string }
  | { readonly event: 'storeStalled' }
  | { readonly event: 'storeRestarting' }
  | { readonly event: 'storeRecovered' }
  | { readonly event: 'failed'; readonly error: string }

export type Reporter = (report: Report) => void

/** One JSON object a line on standard output; the first line is for people. */
export function reportTo(write: (line: string) => void): Reporter {
  return (report) => {
    if (report.event === 'listening') write(`Facedown relay (${report.region}) listens on ${report.url}\n`)
    else write(`${JSON.stringify(report)}\n`)
  }
}
