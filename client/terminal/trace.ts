import { randomBytes } from 'node:crypto'
import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { WebSocket } from 'ws'
import manifest from '../../package.json' with { type: 'json' }
import { paddedSize } from '../../shared/envelope.ts'
import { changeSpanId, formatTraceParent, parseTraceParent } from '../../shared/trace-parent.ts'
import { decodeFromClient, decodeFromRelay } from '../../shared/wire.ts'
import { misused } from './complaint.ts'
import type { Order } from './orders.ts'
import type { Place } from './place.ts'

/** A collector that does not answer does not hold up the end of a command for longer, in milliseconds. */
const patience = 2_000

/** What a connection of a command says of its trace, and how its changes are followed. */
export interface FollowedConnection {
  readonly headers: Readonly<Record<string, string>>
  watch(socket: WebSocket): void
}

/**
 * One trace for a command, with a span for each of its connections and in that one for each change, from its append to the relay's answer. A
 * relay that goes on with it reckons the same ids (see `changeSpanId`). Nothing of what a change says is in it, nor whose it is.
 */
export class CommandTrace {
  readonly #tracer: Tracer
  readonly #context: Context
  /** The library asks for the id of each span it starts. */
  readonly #nextId: (id: string) => void
  readonly #open = new Set<() => void>()

  constructor(tracer: Tracer, context: Context, nextId: (id: string) => void) {
    this.#tracer = tracer
    this.#context = context
    this.#nextId = nextId
  }

  connect(): FollowedConnection {
    const connection = this.#tracer.startSpan('connection', { kind: SpanKind.INTERNAL }, this.#context)
    const within = trace.setSpan(this.#context, connection)
    const { spanId } = connection.spanContext()
    const changes = new Map<number, Span>()
    const answered = (ref: number, outcome: string) => {
      const change = changes.get(ref)
      if (!change) return
      changes.delete(ref)
      change.setAttribute('facedown.outcome', outcome)
      if (outcome !== 'saved') change.setStatus({ code: SpanStatusCode.ERROR })
      change.end()
    }
    return {
      headers: { traceparent: formatTraceParent(connection.spanContext()) },
      watch: (socket) => {
        const send = socket.send.bind(socket)
        socket.send = (frame: Uint8Array) => {
          const message = decodeFromClient(frame)
          if (message?.type === 'append') {
            const attributes = { 'facedown.size': paddedSize(message.envelope.length) }
            this.#nextId(changeSpanId(spanId, message.ref))
            const change = this.#tracer.startSpan('change', { kind: SpanKind.CLIENT, attributes }, within)
            changes.set(message.ref, change)
          }
          send(frame)
        }
        socket.on('message', (bytes: ArrayBuffer) => {
          const message = decodeFromRelay(new Uint8Array(bytes))
          if (message?.type === 'saved') answered(message.ref, 'saved')
          if (message?.type === 'unsaved') answered(message.ref, message.reason)
        })
        const end = () => {
          this.#open.delete(end)
          for (const ref of [...changes.keys()]) answered(ref, 'unanswered')
          connection.end()
        }
        this.#open.add(end)
        socket.on('close', end)
      },
    }
  }

  end(): void {
    for (const end of [...this.#open]) end()
  }
}

/** Does what was ordered and sends the collector how long it took. A trace of whoever runs the command goes on (`TRACEPARENT`). */
export async function traced(
  order: Order,
  place: Place,
  work: (order: Order, place: Place) => Promise<void>,
): Promise<void> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME, TRACEPARENT = '' } = place.environment
  if (!endpoint || !URL.canParse(endpoint))
    throw misused('--trace needs OTEL_EXPORTER_OTLP_ENDPOINT, the address of a collector')
  const exporter = new Noting(new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` }))
  let nextId: string | undefined
  const provider = new TracerProvider({
    idGenerator: {
      generateTraceId: () => randomBytes(16).toString('hex'),
      generateSpanId: () => {
        const id = nextId ?? randomBytes(8).toString('hex')
        nextId = undefined
        return id
      },
    },
    resource: resourceFromAttributes({
      'service.name': OTEL_SERVICE_NAME || 'facedown-command',
      'service.version': manifest.version,
    }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  })
  const tracer = provider.getTracer('facedown', manifest.version)
  const above = parseTraceParent(TRACEPARENT)
  const outer = above ? trace.setSpanContext(ROOT_CONTEXT, { ...above, isRemote: true }) : ROOT_CONTEXT
  const whole = tracer.startSpan(`facedown ${order.command}`, {}, outer)
  const command = new CommandTrace(tracer, trace.setSpan(outer, whole), (id) => {
    nextId = id
  })
  try {
    await work(order, { ...place, trace: command })
  } catch (error) {
    whole.setStatus({ code: SpanStatusCode.ERROR })
    throw error
  } finally {
    command.end()
    whole.end()
    const late = new Promise((resolve) => setTimeout(resolve, patience).unref())
    await Promise.race([provider.shutdown().catch(() => {}), late])
    if (!exporter.hasSent) place.errors.write(`The collector at ${endpoint} took no traces.\n`)
  }
}

/** Knows whether the last of what was sent was taken. */
class Noting implements SpanExporter {
  hasSent = false
  readonly #exporter: SpanExporter

  constructor(exporter: SpanExporter) {
    this.#exporter = exporter
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.hasSent = false
    this.#exporter.export(spans, (result) => {
      this.hasSent = result.code === 0
      done(result)
    })
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown()
  }
}
