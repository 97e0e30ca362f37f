/** Where a span is, as https://www.w3.org/TR/trace-context/#traceparent-header has it. */
export interface SpanPlace {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
}

/** In version 00. */
export function formatTraceParent({ traceId, spanId, traceFlags }: SpanPlace): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

/** Undefined for anything else, and for the ids of all zeros that stand for none. */
export function parseTraceParent(text: string): SpanPlace | undefined {
  const parts = /^00-(?!0+-)([0-9a-f]{32})-(?!0+-)([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text)
  if (!parts) return undefined
  const [, traceId = '', spanId = '', flags = ''] = parts
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) }
}

/**
 * The span of one change that a client sends over a connection with a span of its own. Both ends reckon it from the `ref` of the append, so
 * that no frame has to say it.
 */
export function changeSpanId(connectionSpanId: string, ref: number): string {
  const id = BigInt(`0x${connectionSpanId}`) ^ BigInt(ref)
  return id.toString(16).padStart(16, '0')
}
