import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { hostname } from 'node:os'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import { startNats } from '../cluster/nats.testing.ts'
import { BareClient } from '../connections/bare-client.testing.ts'
import { started } from '../fixtures.testing.ts'
import { startRelayProcess } from '../process.testing.ts'
import { someEnvelope, temporaryFolder } from '../testing.ts'
import { type Collector, type Received, startCollector } from './collector.testing.ts'

const loaded = createRequire(import.meta.url).cache

// The first test of the file: afterwards it is loaded. prom-client brings the api, without anything behind it.
test('without an endpoint nothing of OpenTelemetry is even loaded', async () => {
  const relay = await started({ serviceName: 'relay', samplerShare: 1 })
  const { alice, leave } = await pair(relay.url)
  await alice.save(someEnvelope())
  await leave()
  expect(telemetry()).toEqual([])
  await started({ otlpEndpoint: collector.url })
  expect(telemetry()).not.toEqual([])
})

let collector: Collector
beforeEach(async () => {
  collector = await startCollector()
})
afterEach(() => collector.close())

async function pair(url: string) {
  const keys = createSessionKeys()
  const alice = await BareClient.join(url, keys)
  const bob = await BareClient.join(url, keys)
  const leave = async () => {
    for (const client of [alice, bob]) client.leave()
    await Promise.all([alice.closed, bob.closed])
  }
  return { keys, alice, bob, leave }
}

test('one trace goes from a change alice appends through bus and store to her being told', async () => {
  const relay = await started({
    otlpEndpoint: `${collector.url}/`,
    otlpHeaders: { authorization: 'Bearer abc' },
  })
  const { alice, bob } = await pair(relay.url)
  await alice.save(someEnvelope(1000))
  await bob.next('entry')
  await relay.stop()
  expect(tree(collector.spans)).toEqual({
    append: { publish: { commit: {}, 'fan out': {} }, answer: {} },
  })
  const [append, publish, fanOut, commit, answer] = named('append', 'publish', 'fan out', 'commit', 'answer')
  expect(append.attributes).toEqual({ 'facedown.size': 1024, 'facedown.outcome': 'saved' })
  expect(commit.attributes).toEqual({ 'facedown.changes': 1 })
  for (const span of [publish, fanOut, answer]) expect(span.attributes).toEqual({})
  // Spans begin at whole milliseconds.
  for (const span of [publish, fanOut, commit, answer]) {
    expect(startOf(span) - startOf(append)).toBeGreaterThanOrEqual(-2)
    expect(endOf(append) - endOf(span)).toBeGreaterThanOrEqual(-2)
  }
  expect(startOf(answer) - endOf(commit)).toBeGreaterThanOrEqual(-2)
  expect(collector.requests).toMatchObject([{ path: '/v1/traces', headers: { authorization: 'Bearer abc' } }])
})

test('through NATS it goes on in the processes of the store and of bob’s relay', async () => {
  const nats = await startNats()
  onTestFinished(() => nats.stop())
  const start = async (name: string, role: string) => {
    const dataDir = temporaryFolder()
    const process = await startRelayProcess({
      DATA_DIR: dataDir,
      NATS_URL: nats.url,
      REGION: 'east',
      ROLE: role,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_SERVICE_NAME: name,
    })
    onTestFinished(async () => {
      await process.end('SIGKILL')
      rmSync(dataDir, { recursive: true })
    })
    return process
  }
  const store = await start('store', 'store')
  const near = await start('near', 'relay')
  const far = await start('far', 'relay')
  const keys = createSessionKeys()
  const bob = await BareClient.join(far.url, keys)
  const alice = await BareClient.join(near.url, keys)
  await alice.save(someEnvelope())
  await bob.next('entry')
  for (const process of [near, far, store]) await process.end('SIGTERM')
  expect(tree(collector.spans, ({ name, sender }) => `${name} at ${sender['service.name']}`)).toEqual({
    'append at near': {
      'publish at near': { 'commit at store': {}, 'fan out at near': {}, 'fan out at far': {} },
      'answer at near': {},
    },
  })
  const [commit] = named('commit')
  expect(commit.sender).toMatchObject({ 'facedown.role': 'store', 'facedown.region': 'east' })
})

test('what is sent says nothing of sessions, people, addresses or this machine', async () => {
  const relay = await started({ otlpEndpoint: collector.url })
  const { keys, alice } = await pair(relay.url)
  const envelope = someEnvelope(300)
  await alice.save(envelope)
  await relay.stop()
  expect(collector.spans).toHaveLength(5)
  const secrets = [keys.session, '127.0.0.1', hostname(), String(process.pid), String(relay.port)]
  for (const secret of secrets) expect(withoutIds(collector.text)).not.toContain(secret)
  expect(Object.keys(collector.spans[0]?.sender ?? {}).sort()).toEqual([
    'facedown.region',
    'facedown.role',
    'service.name',
    'service.version',
  ])
  expect(collector.spans.flatMap(({ attributes }) => Object.values(attributes))).not.toContain(300)
})

test.each([
  [{ sampler: 'always_off' }, 0, 0],
  [{ sampler: 'parentbased_traceidratio', samplerShare: 0.25 }, 20, 85],
  [{ sampler: 'always_on', samplerShare: 0.25 }, 200, 200],
] as const)('with %j so many of 200 changes are traced', async (settings, least, most) => {
  const relay = await started({ ...settings, otlpEndpoint: collector.url })
  const { alice } = await pair(relay.url)
  await Promise.all(Array.from({ length: 200 }, () => alice.save(someEnvelope())))
  await relay.stop()
  const appends = collector.spans.filter(({ name }) => name === 'append').length
  expect(appends).toBeGreaterThanOrEqual(least)
  expect(appends).toBeLessThanOrEqual(most)
  expect(collector.spans).toHaveLength(5 * appends)
})

test('a collector that refuses costs no change, and the log says when it does and when it takes traces again', async () => {
  collector.status = 400
  const relay = await started({ otlpEndpoint: collector.url, spansEveryMs: 20 })
  const { alice } = await pair(relay.url)
  await alice.save(someEnvelope())
  await vi.waitFor(() => expect(relay.reports).toContainEqual({ event: 'tracesLost' }), 20_000)
  await alice.save(someEnvelope())
  collector.status = 200
  await alice.save(someEnvelope())
  await vi.waitFor(() => expect(relay.reports).toContainEqual({ event: 'tracesArrive' }), 20_000)
  expect(relay.reports.filter(({ event }) => event === 'tracesLost')).toHaveLength(1)
})

function telemetry(): string[] {
  return Object.keys(loaded).filter((path) => /@opentelemetry\/(?!api\/)/.test(path))
}

function startOf({ startTimeUnixNano }: Received): number {
  return Number(BigInt(startTimeUnixNano) / 1000n) / 1000
}

function endOf({ endTimeUnixNano }: Received): number {
  return Number(BigInt(endTimeUnixNano) / 1000n) / 1000
}

function withoutIds(text: string): string {
  return text.replace(/"(traceId|spanId|parentSpanId|\w+UnixNano)":"[^"]*"/g, '')
}

/** One each, of a single trace. */
function named<const Names extends readonly string[]>(...names: Names): { [Key in keyof Names]: Received } {
  return names.map((name) => {
    const [span, ...more] = collector.spans.filter((span) => span.name === name)
    if (!span || more.length > 0) throw new Error(`There are ${more.length + (span ? 1 : 0)} of ${name}`)
    return span
  }) as { [Key in keyof Names]: Received }
}

interface Tree {
  readonly [name: string]: Tree
}

/** By their parents; throws for two of one name at one place, for more than one trace and for a parent that is missing. */
function tree(spans: readonly Received[], nameOf = ({ name }: Received) => name): Tree {
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
  let placed = 0
  const below = (parent: string | undefined): Tree => {
    const children = spans.filter(({ parentSpanId }) => (parentSpanId || undefined) === parent)
    placed += children.length
    const entries = children.map((span) => [nameOf(span), below(span.spanId)] as const)
    expect(new Set(entries.map(([name]) => name)).size).toBe(entries.length)
    return Object.fromEntries(entries)
  }
  const all = below(undefined)
  expect(placed).toBe(spans.length)
  return all
}
