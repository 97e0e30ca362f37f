import { headers, type MsgHdrs } from '@nats-io/transport-node'
import type { Traces } from '../operators/traces.ts'
import type { Stated } from './statement.ts'

/** The header of https://www.w3.org/TR/trace-context, in messages as in requests. */
const name = 'traceparent'

/** What goes along with a statement, for those who follow changes. */
export function traceHeadersOf(traces: Traces | undefined, message: Stated): { readonly headers?: MsgHdrs } {
  const header = message.type === 'append' ? traces?.headerOf(message.envelope) : undefined
  if (header === undefined) return {}
  const along = headers()
  along.set(name, header)
  return { headers: along }
}

/** What came along. */
export function noteTrace(traces: Traces | undefined, message: Stated, along: MsgHdrs | undefined): void {
  if (!traces || message.type !== 'append') return
  const header = along?.get(name)
  if (header) traces.arrived(message.envelope, header)
}
