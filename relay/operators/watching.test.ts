import { expect, test } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import type { Status } from '../../shared/status.ts'
import { BareClient, openingStatus } from '../connections/bare-client.testing.ts'
import { started } from '../fixtures.testing.ts'
import { someDeposit, someEnvelope, startRelay } from '../testing.ts'

const token = 'correct-horse-battery-staple'

/** With names a browser or a proxy sends; `fetch` would not let us say a Host. */
async function ask(
  port: number,
  headers: Record<string, string> = {},
  path = '/metrics',
): Promise<{ status: number; text: string }> {
  const { request } = await import('node:http')
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers }, async (answer) => {
      let text = ''
      for await (const part of answer) text += part
      resolve({ status: answer.statusCode ?? 0, text })
    })
    asked.once('error', reject).end()
  })
}

test('this computer may look, and what came through a proxy on it may not', async () => {
  const { port } = await started()
  expect((await ask(port)).text).toContain('facedown_connections 0')
  expect((await ask(port, { Host: `localhost:${port}` })).status).toBe(200)
  for (const headers of [
    { Host: 'poker.example' },
    { Host: `127.0.0.1.poker.example:${port}` },
    { 'X-Forwarded-For': '127.0.0.1' },
    { Forwarded: 'for=127.0.0.1' },
    { Via: '1.1 caddy' },
  ]) {
    const { status, text } = await ask(port, headers)
    expect([status, text], JSON.stringify(headers)).toEqual([403, expect.not.stringContaining('facedown_')])
  }
})

test.each([{ trustProxy: true }, { origins: ['https://poker.example'] }])(
  'with %j a proxy is in front, and nobody looks without a token',
  async (options) => {
    expect((await ask((await started(options)).port)).status).toBe(403)
  },
)

test('with a token only who knows it may look, from wherever', async () => {
  const { port } = await started({ metricsToken: token, trustProxy: true })
  const basic = (words: string) => `Basic ${Buffer.from(words).toString('base64')}`
  for (const Authorization of [`Bearer ${token}`, `bearer ${token}`, basic(`alice:${token}`)]) {
    expect((await ask(port, { Authorization, 'X-Forwarded-For': '192.0.2.1' })).status).toBe(200)
  }
  for (const Authorization of [
    '',
    'Bearer',
    `Bearer ${token}x`,
    token,
    basic(token),
    basic('alice:'),
    'Basic *',
  ]) {
    const { status, text } = await ask(port, { Authorization })
    expect([status, text], Authorization).toEqual([401, expect.not.stringContaining('facedown_')])
  }
})

test('a port of its own answers what the other then does not', async () => {
  const { port, metricsPort } = await started({ metricsPort: 0, metricsHost: '127.0.0.1', trustProxy: true })
  expect(metricsPort).not.toBe(port)
  expect((await ask(metricsPort, { Host: 'relay-1' })).status).toBe(200)
  expect((await ask(port)).status).toBe(404)
  const closed = await started({ metricsPort: 0, metricsHost: '127.0.0.1', metricsToken: token })
  expect((await ask(closed.metricsPort)).status).toBe(401)
})

test('a metrics port in use stops the start with its own name', async () => {
  const { port } = await started()
  await expect(startRelay({ metricsPort: port, metricsHost: '127.0.0.1' })).rejects.toThrow(
    `METRICS_PORT ${port} is in use by another program. Stop that, or set METRICS_PORT to another number`,
  )
})

test('what alice and bob do is counted, and nothing says who they are', async () => {
  const relay = await started()
  const keys = createSessionKeys()
  const alice = await BareClient.join(relay.url, keys)
  const bob = await BareClient.join(relay.url, keys)
  alice.append(someEnvelope())
  await bob.next('entry')
  await alice.next('saved')
  alice.send({ type: 'deposit', ref: 2, ...someDeposit() })
  const carol = await BareClient.join(relay.url, keys)
  const { text } = await ask(relay.port)
  const figures = read(text)
  expect(figures).toMatchObject({
    facedown_connections: 3,
    facedown_rooms: 1,
    facedown_slow_readers: 0,
    facedown_connections_limit: 20_000,
    'facedown_appends_total{outcome="saved"}': 1,
    'facedown_appends_total{outcome="full"}': 0,
    facedown_saved_seconds_count: 1,
    facedown_fan_out_seconds_count: 1,
    facedown_commit_seconds_count: 1,
    facedown_commit_changes_sum: 1,
    facedown_catch_up_seconds_count: 3,
    facedown_catch_up_bytes_sum: 256,
    'facedown_refusals_total{reason="forbidden"}': 0,
  })
  expect(figures.facedown_database_bytes).toBeGreaterThan(0)
  expect(figures.facedown_disk_bytes).toBeGreaterThan(
    figures.facedown_disk_free_bytes ?? Number.POSITIVE_INFINITY,
  )
  expect(figures.facedown_saved_seconds_sum).toBeGreaterThan(figures.facedown_fan_out_seconds_sum ?? 1)
  expect(text).not.toContain(keys.session)
  expect(text).not.toContain('127.0.0.1')
  for (const client of [alice, bob, carol]) client.leave()
})

test('the status page is guarded like the metrics, with everything below it', async () => {
  const closed = await started({ trustProxy: true })
  const locked = await started({ metricsToken: token })
  for (const path of ['/status', '/status/', '/status/status.json', '/status/assets/x.js']) {
    expect((await ask(closed.port, {}, path)).status, path).toBe(403)
    expect((await ask(locked.port, {}, path)).status, path).toBe(401)
  }
})

test('the status says how the relay has been, and only what is new when that is asked for', async () => {
  const relay = await started()
  const alice = await BareClient.join(relay.url, createSessionKeys())
  await alice.save(someEnvelope())
  const { text } = await ask(relay.port, {}, '/status/status.json')
  const status: Status = JSON.parse(text)
  expect(status).toMatchObject({ region: 'local', role: 'both', everyMs: 10_000 })
  expect(status.samples).toHaveLength(1)
  expect(status.samples[0]?.figures).toMatchObject({ connections: 0, slowReaders: 0, savedP99: null })
  expect(status.samples[0]?.figures.databaseBytes).toBeGreaterThan(0)
  const later = await ask(relay.port, {}, `/status/status.json?after=${status.samples[0]?.time}`)
  expect(JSON.parse(later.text).samples).toEqual([])
})

test('who is refused is counted by the reason', async () => {
  const relay = await started({ limits: { openOfAddress: 1 } })
  const alice = await BareClient.join(relay.url, createSessionKeys())
  expect(await openingStatus(relay.url, `/sync/${createSessionKeys().session}`)).toBe(429)
  alice.socket.send(Uint8Array.of(99))
  await alice.closed
  const figures = read((await ask(relay.port)).text)
  expect(figures['facedown_refusals_total{reason="address"}']).toBe(1)
  expect(figures['facedown_refusals_total{reason="malformed"}']).toBe(1)
})

function read(text: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line && !line.startsWith('#'))
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  )
}
