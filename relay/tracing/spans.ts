import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { paddedSize } from '../../shared/envelope.ts'
import {
  changeSpanId,
  formatTraceParent,
  parseTraceParent,
  type SpanPlace,
} from '../../shared/trace-parent.ts'
import type { Follow, Traces } from '../operators/traces.ts'

/**
 * The spans of one change: `append` from the frame taken in to its author told; within it `publish` until the bus has it, and `answer`; within
 * `publish`, wherever that happens, `fan out` and `commit`. They say how long, how it ended, and which class of sizes: nothing here
 * tells sessions or people apart.
 */
export class Spans implements Traces {
  readonly #tracer: Tracer
  readonly #stop: () => Promise<void>
  /** What comes next in each change's trace belongs to this. */
  readonly #parents = new WeakMap<Uint8Array, Context>()
  readonly #publishing = new WeakMap<Uint8Array, Span>()

  constructor(tracer: Tracer, stop: () => Promise<void>) {
    this.#tracer = tracer
    this.#stop = stop
  }

  appending(envelope: Uint8Array): ((outcome: string) => void) | undefined {
    const append = this.#tracer.startSpan(
      'append',
      { kind: SpanKind.SERVER, attributes: { 'facedown.size': paddedSize(envelope.length) } },
      this.#parents.get(envelope) ?? ROOT_CONTEXT,
    )
    if (!append.isRecording()) return undefined
    const within = trace.setSpan(ROOT_CONTEXT, append)
    const publish = this.#tracer.startSpan('publish', { kind: SpanKind.PRODUCER }, within)
    this.#parents.set(envelope, trace.setSpan(ROOT_CONTEXT, publish))
    this.#publishing.set(envelope, publish)
    return (outcome) => {
      this.published(envelope)
      const answer = this.#tracer.startSpan('answer', {}, within)
      append.setAttribute('facedown.outcome', outcome)
      if (outcome !== 'saved') append.setStatus({ code: SpanStatusCode.ERROR })
      // By then the room has told the author.
      setImmediate(() => {
        answer.end()
        append.end()
      })
    }
  }

  published(envelope: Uint8Array): void {
    this.#publishing.get(envelope)?.end()
    this.#publishing.delete(envelope)
  }

  fanningOut(envelope: Uint8Array): (() => void) | undefined {
    const parent = this.#parents.get(envelope)
    if (!parent) return undefined
    const fanOut = this.#tracer.startSpan('fan out', { kind: SpanKind.CONSUMER }, parent)
    return () => {
      fanOut.end()
      this.published(envelope)
    }
  }

  committed(appends: readonly { readonly row: { readonly envelope: Uint8Array } }[], ms: number): void {
    const startTime = Date.now() - ms
    const attributes = { 'facedown.changes': appends.length }
    for (const { row } of appends) {
      const parent = this.#parents.get(row.envelope)
      if (!parent) continue
      this.#tracer.startSpan('commit', { kind: SpanKind.CONSUMER, startTime, attributes }, parent).end()
    }
  }

  headerOf(envelope: Uint8Array): string | undefined {
    const parent = this.#parents.get(envelope)
    const span = parent && trace.getSpanContext(parent)
    return span && formatTraceParent(span)
  }

  arrived(envelope: Uint8Array, header: string): void {
    const parent = parseTraceParent(header)
    if (parent) this.#setParent(envelope, parent)
  }

  following(header: string): Follow | undefined {
    const connection = parseTraceParent(header)
    if (!connection) return undefined
    return (envelope, ref) =>
      this.#setParent(envelope, { ...connection, spanId: changeSpanId(connection.spanId, ref) })
  }

  stop(): Promise<void> {
    return this.#stop()
  }

  #setParent(envelope: Uint8Array, place: SpanPlace): void {
    this.#parents.set(envelope, trace.setSpanContext(ROOT_CONTEXT, { ...place, isRemote: true }))
  }
}
