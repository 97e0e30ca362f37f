import { afterEach, beforeEach, expect, test } from 'vitest'
import { started } from '../relay/fixtures.testing.ts'
import { type Collector, type Received, startCollector } from '../relay/tracing/collector.testing.ts'
import { Machine } from './command-line.ts'

let collector: Collector
let alice: Machine

beforeEach(async () => {
  collector = await startCollector()
  alice = new Machine()
})

afterEach(async () => {
  await alice.remove()
  await collector.close()
})

/** As somebody who wants to know how long things take. */
function toldTo(more: Readonly<Record<string, string>> = {}) {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...more }
}

/** From a span up to where its trace begins. */
function above(span: Received): string[] {
  const parent = collector.spans.find(({ spanId }) => spanId === span.parentSpanId)
  return [span.name, ...(parent ? above(parent) : [])]
}

function named(name: string): Received[] {
  return collector.spans.filter((span) => span.name === name)
}

test('one trace goes from a change that alice’s command appends through relay, bus and store to saved', async () => {
  const relay = await started({ otlpEndpoint: collector.url, traceClients: true })
  const words = ['create', relay.url, '--name', 'alice', '--trace']
  expect(await alice.run(words, '', toldTo())).toMatchObject({ code: 0, complaint: '' })
  await relay.stop()
  expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(1)
  expect(named('append').length).toBeGreaterThan(0)
  expect(named('change')).toHaveLength(named('append').length)
  const way = ['append', 'change', 'connection', 'facedown create']
  for (const span of named('append')) expect(above(span)).toEqual(way)
  for (const span of named('answer')) expect(above(span)).toEqual(['answer', ...way])
  for (const name of ['commit', 'fan out']) {
    expect(named(name)).toHaveLength(named('append').length)
    for (const span of named(name)) expect(above(span)).toEqual([name, 'publish', ...way])
  }
  for (const { attributes } of named('change')) expect(attributes['facedown.outcome']).toBe('saved')
  expect(named('change')[0]?.sender).toMatchObject({ 'service.name': 'facedown-command' })
})

test('a trace of whoever runs the command goes on in it', async () => {
  const relay = await started({ otlpEndpoint: collector.url, traceClients: true })
  const [traceId, spanId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']
  await alice.run(['create', relay.url, '--trace'], '', toldTo({ TRACEPARENT: `00-${traceId}-${spanId}-01` }))
  await relay.stop()
  expect(collector.spans.every((span) => span.traceId === traceId)).toBe(true)
  expect(named('facedown create')).toMatchObject([{ parentSpanId: spanId }])
})

test.each([{ traceClients: false }, { traceClients: true, sampler: 'always_on' }] as const)(
  'with %j a relay begins traces of its own, whatever a command says',
  async (options) => {
    const relay = await started({ otlpEndpoint: collector.url, ...options })
    await alice.run(['create', relay.url, '--trace'], '', toldTo())
    await relay.stop()
    const [command] = named('facedown create')
    expect(named('append').length).toBeGreaterThan(0)
    for (const span of named('append')) {
      expect(above(span)).toEqual(['append'])
      expect(span.traceId).not.toBe(command?.traceId)
    }
  },
)

test('a relay that traces nothing is none the wiser, and the command tells its own part', async () => {
  const relay = await started({})
  expect(await alice.run(['create', relay.url, '--trace'], '', toldTo())).toMatchObject({ code: 0 })
  expect(named('append')).toEqual([])
  for (const span of named('change')) expect(above(span)).toEqual(['change', 'connection', 'facedown create'])
})

test('nothing of the session, of alice or of her machine is in what is sent', async () => {
  const relay = await started({ otlpEndpoint: collector.url, traceClients: true })
  const title = 'Sprint 12'
  const words = ['create', relay.url, '--name', 'alice', '--title', title, '--json', '--trace']
  const { said } = await alice.run(words, '', toldTo())
  const { member } = JSON.parse(said)
  expect(await alice.run(['join', member, '--trace'], 'name bob\n', toldTo())).toMatchObject({ code: 0 })
  await relay.stop()
  const [, session = '', secret = ''] = /s\/(\w+)#(.*)$/.exec(member) ?? []
  expect(session).toHaveLength(26)
  for (const told of [session, secret, 'alice', 'bob', title, '127.0.0.1', alice.folder])
    expect(collector.text).not.toContain(told)
  const known = new Set(collector.spans.flatMap(({ attributes }) => Object.keys(attributes)))
  expect([...known].sort()).toEqual(['facedown.changes', 'facedown.outcome', 'facedown.size'])
})

test('nobody is traced who did not ask for it', async () => {
  const relay = await started({ traceClients: true })
  await alice.run(
    ['create', relay.url],
    '',
    toldTo({ TRACEPARENT: `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01` }),
  )
  expect(collector.requests).toEqual([])
})

test('a collector that takes nothing costs alice a sentence and no change', async () => {
  const relay = await started({})
  collector.status = 400
  const { code, said, complaint } = await alice.run(['create', relay.url, '--trace'], '', toldTo())
  expect({ code, complaint }).toEqual({
    code: 0,
    complaint: `The collector at ${collector.url} took no traces.\n`,
  })
  expect(said).toContain('/s/')
  const without = await alice.run(['create', relay.url, '--trace'])
  expect(without.code).toBe(2)
  expect(without.complaint).toBe('--trace needs OTEL_EXPORTER_OTLP_ENDPOINT, the address of a collector.\n')
})
