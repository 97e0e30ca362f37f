import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'

/** A span as a collector receives it, with what its sender says about itself. */
export interface Received {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly sender: Readonly<Record<string, unknown>>
}

export interface Collector {
  readonly url: string
  readonly spans: readonly Received[]
  /** Everything it was sent, as it came. */
  readonly text: string
  /** Of each request: where to, and with which headers. */
  readonly requests: readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[]
  /** What it answers with; 200 takes spans. */
  status: number
  close(): Promise<void>
}

interface Pair {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Pair[] }
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<Received, 'attributes' | 'sender'> & {
        readonly attributes: readonly Pair[]
      })[]
    }[]
  }[]
}

/** As much of a collector of OpenTelemetry as reads OTLP in JSON. */
export async function startCollector(): Promise<Collector> {
  const spans: Received[] = []
  const requests: { path: string; headers: IncomingHttpHeaders }[] = []
  let text = ''
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    requests.push({ path: request.url ?? '', headers: request.headers })
    if (collector.status === 200) {
      text += body
      spans.push(...spansIn(JSON.parse(body)))
    }
    response.writeHead(collector.status, { 'content-type': 'application/json' }).end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The collector has no port')
  const collector: Collector = {
    url: `http://127.0.0.1:${address.port}`,
    spans,
    requests,
    get text() {
      return text
    },
    status: 200,
    close: async () => {
      server.close().closeAllConnections()
    },
  }
  return collector
}

function spansIn({ resourceSpans }: Sent): Received[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        attributes: valuesOf(span.attributes),
        sender: valuesOf(resource.attributes),
      })),
    ),
  )
}

function valuesOf(pairs: readonly Pair[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]))
}
