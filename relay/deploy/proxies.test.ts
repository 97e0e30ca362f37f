import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { createSessionKeys } from '../../shared/keys.ts'
import { subprotocol } from '../../shared/wire.ts'
import { BareClient } from '../bare-client.testing.ts'
import { someEnvelope, startRelay, temporaryFolder } from '../testing.ts'
import { startNginx } from './proxies.testing.ts'

const local = 'local_certs\nskip_install_trust\nauto_https disable_redirects\nadmin off'

test.each(['Caddyfile', 'Caddyfile.sub-path'])(
  'Caddy understands %s, with a public name or its own certificate',
  (file) => {
    for (const environment of [
      { SITE: 'poker.example.org' },
      { SITE: 'localhost:8443', GLOBAL_OPTIONS: local },
      {},
    ]) {
      const words = ['validate', '--config', join(import.meta.dirname, file), '--adapter', 'caddyfile']
      const env = { PATH: process.env.PATH, HOME: newFolder(), ...environment }
      const { status, stderr } = spawnSync('caddy', words, { env, encoding: 'utf8' })
      expect(status, stderr).toBe(0)
    }
    const formatted = execFileSync('caddy', ['fmt', join(import.meta.dirname, file)], { encoding: 'utf8' })
    expect(readFileSync(join(import.meta.dirname, file), 'utf8')).toBe(formatted)
  },
)

test('alice and bob meet through nginx, and what is for operators stays inside', async () => {
  const relay = await startRelay({ trustProxy: true, maxConnectionsPerAddress: 2 })
  onTestFinished(() => relay.stop())
  const url = (await startNginx([relay.port])).url
  const keys = createSessionKeys()
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0' // the certificate is the test's own
  onTestFinished(() => {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
  })
  const alice = await BareClient.join(url, keys)
  const bob = await BareClient.join(url, keys)
  alice.append(someEnvelope())
  await alice.next('saved')
  await bob.next('entry')
  expect((await fetch(`${url}/config.json`)).status).toBe(200)
  for (const path of ['/metrics', '/readyz', '/status', '/status/load']) {
    expect([path, (await fetch(url + path)).status]).toEqual([path, 404])
  }
  // Both of them came from here, whatever they say of themselves.
  const carol = { headers: { 'X-Forwarded-For': '203.0.113.7' }, origin: url }
  const socket = new WebSocket(`${url.replace('http', 'ws')}/sync/${keys.session}`, subprotocol, carol)
  onTestFinished(() => socket.terminate())
  await expect(once(socket, 'open')).rejects.toThrow('429')
  alice.socket.close()
  bob.socket.close()
})

function newFolder(): string {
  const folder = temporaryFolder()
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}
