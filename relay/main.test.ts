import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createSessionKeys } from '../shared/keys.ts'
import { BareClient } from './connections/bare-client.testing.ts'
import { newFolder } from './fixtures.testing.ts'
import { relayInTypeScript, startRelayProcess, startupFailure } from './process.testing.ts'
import { databaseName, openDatabase } from './store/database.ts'
import { someEnvelope } from './testing.ts'

test.each([
  ['PORT', '80a', 'PORT must be a whole number from 1 to 65535, but it is "80a".'],
  ['PORT', '65536', 'PORT must be a whole number from 1 to 65535, but it is "65536".'],
  ['HOST', 'not.a.host.invalid', 'HOST must be an address of this computer, but it is "not.a.host.invalid".'],
])('a relay with %s=%s does not start and says what to set', async (name, value, sentence) => {
  const DATA_DIR = newFolder()
  expect(await startupFailure({ DATA_DIR, [name]: value })).toEqual({ code: 1, words: `${sentence}\n` })
})

test('a port in use is named', async () => {
  const DATA_DIR = newFolder()
  const other = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void other.close())
  await new Promise((resolve) => other.once('listening', resolve))
  const address = other.address()
  const PORT = String(typeof address === 'object' ? address?.port : 0)
  expect(await startupFailure({ DATA_DIR, PORT })).toEqual({
    code: 1,
    words: `PORT ${PORT} is in use by another program. Stop that, or set PORT to another number.\n`,
  })
})

test('a second relay on the same data folder does not start', async () => {
  const DATA_DIR = newFolder()
  const first = await startRelayProcess({ DATA_DIR })
  onTestFinished(async () => void (await first.end('SIGKILL')))
  const { code, words } = await startupFailure({ DATA_DIR, PORT: '1' })
  expect(code).toBe(1)
  expect(words).toBe(
    `Another relay uses the data folder ${DATA_DIR}. Stop it, or set DATA_DIR to another folder.\n`,
  )
})

test('a data folder that is a file is named', async () => {
  const file = join(newFolder(), 'file')
  writeFileSync(file, '')
  const { code, words } = await startupFailure({ DATA_DIR: file })
  expect(code).toBe(1)
  expect(words).toMatch(/^DATA_DIR must be a folder that can be written to, but .*\n$/)
})

test('one process alone does not start on what a store of a region keeps, and leaves it as it is', async () => {
  const dataDir = newFolder()
  openDatabase(join(dataDir, 'east-1'), 'east', 'east-1').close()
  expect((await startupFailure({ DATA_DIR: dataDir })).words).toContain(
    "DATA_DIR has the database of a region's store (east-1/facedown.sqlite)",
  )
  expect(existsSync(join(dataDir, databaseName))).toBe(false)
})

test('a copy of its own database in a folder named like that of a region keeps no relay from starting', async () => {
  const dataDir = newFolder()
  openDatabase(join(dataDir, 'copy-1'), 'local').close()
  const relay = await startRelayProcess({ DATA_DIR: dataDir })
  expect(await relay.end('SIGTERM')).toBe(0)
})

test('a relay goes on, and ends well, when nobody takes its log any more', async () => {
  const keys = createSessionKeys()
  const relay = await startRelayProcess({ DATA_DIR: newFolder() })
  onTestFinished(async () => void (await relay.end('SIGKILL')))
  relay.process.stdout?.destroy()
  const alice = await BareClient.join(relay.url, keys)
  alice.append(someEnvelope())
  await alice.next('saved')
  expect(await relay.end('SIGTERM')).toBe(0) // it says twice that it stops
  expect((await alice.closed).code).toBe(1012)
})

test('localhost is reachable at every address it has, of a relay in TypeScript as in development', async () => {
  const relay = await startRelayProcess({ DATA_DIR: newFolder() }, relayInTypeScript)
  onTestFinished(async () => void (await relay.end('SIGKILL')))
  expect((await fetch(`http://127.0.0.1:${relay.port}/healthz`)).status).toBe(200)
  expect((await fetch(`http://localhost:${relay.port}/healthz`)).status).toBe(200)
})

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s tells the clients, commits what they sent and ends well',
  async (signal) => {
    const DATA_DIR = newFolder()
    const keys = createSessionKeys()
    const relay = await startRelayProcess({ DATA_DIR })
    const alice = await BareClient.join(relay.url, keys)
    const envelopes = Array.from({ length: 50 }, () => someEnvelope())
    for (const envelope of envelopes) alice.append(envelope)
    await alice.next('saved')
    const before = performance.now()
    expect(await relay.end(signal)).toBe(0)
    expect(performance.now() - before).toBeLessThan(5000)
    expect((await alice.closed).code).toBe(1012)
    expect(alice.frames.filter(({ type }) => type === 'goingAway')).toHaveLength(1)
    expect(alice.frames.filter(({ type }) => type === 'saved')).toHaveLength(envelopes.length)
    const again = await startRelayProcess({ DATA_DIR })
    onTestFinished(async () => void (await again.end('SIGKILL')))
    const back = await BareClient.join(again.url, keys)
    expect(back.envelopes()).toHaveLength(envelopes.length)
  },
)

test('a terminal that closes, which says so twice, and whoever then ends the relay as well, stop it once', async () => {
  const relay = await startRelayProcess({ DATA_DIR: newFolder() })
  let said = ''
  const stopping = new Promise<void>((resolve) => {
    relay.process.stdout?.on('data', (text) => {
      said += text
      if (said.includes('"stopping"')) resolve()
    })
  })
  const alice = await BareClient.join(relay.url, createSessionKeys())
  relay.process.kill('SIGHUP')
  await stopping
  relay.process.kill('SIGHUP')
  expect(await relay.end('SIGTERM')).toBe(0)
  expect((await alice.closed).code).toBe(1012)
  expect(said.match(/"stopping"/g)).toHaveLength(1)
  expect(said).toContain('"stopped"')
})
