import type { SpanContext } from '@opentelemetry/api'

/** https://www.w3.org/TR/trace-context/#traceparent-header, version 00. */
export function formatTraceParent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

/** Undefined for anything else, and for the ids of all zeros that stand for none. */
export function parseTraceParent(text: string): SpanContext | undefined {
  const parts = /^00-(?!0+-)([0-9a-f]{32})-(?!0+-)([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text)
  if (!parts) return undefined
  const [, traceId = '', spanId = '', flags = ''] = parts
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
}
