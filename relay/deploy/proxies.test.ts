import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { createSessionKeys } from '../../shared/keys.ts'
import { subprotocol } from '../../shared/wire.ts'
import { BareClient } from '../bare-client.testing.ts'
import { freePort } from '../process.testing.ts'
import { someEnvelope, startRelay, temporaryFolder } from '../testing.ts'

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
  const url = await startNginx(relay.port)
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

/** nginx with our configuration, on a port and with a certificate of its own. */
async function startNginx(relay: number): Promise<string> {
  const folder = newFolder()
  const port = await freePort()
  const certificate = [
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ]
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'certificate.pem')]
  execFileSync('openssl', ['req', ...certificate, '-subj', '/CN=localhost', ...files], { stdio: 'ignore' })
  const site = readFileSync(join(import.meta.dirname, 'nginx.conf'), 'utf8')
    .replace(/server \{\s+listen 80;[^}]*\}/, '')
    .replace('listen 443 ssl http2;', `listen 127.0.0.1:${port} ssl http2;`)
    .replace('listen [::]:443 ssl http2;', '')
    .replace('server 127.0.0.1:8787;', `server 127.0.0.1:${relay};`)
    .replace(/\/etc\/letsencrypt\/\S+\/fullchain\.pem/, join(folder, 'certificate.pem'))
    .replace(/\/etc\/letsencrypt\/\S+\/privkey\.pem/, join(folder, 'key.pem'))
  mkdirSync(join(folder, 'temporary'))
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/temporary/${name};`,
  )
  const whole = `
    daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/errors;
    events {} http { access_log off; ${places.join(' ')} ${site} }`
  writeFileSync(join(folder, 'nginx.conf'), whole)
  const words = ['-e', join(folder, 'errors'), '-c', join(folder, 'nginx.conf')]
  const tested = spawnSync('nginx', ['-t', ...words], { encoding: 'utf8' })
  expect([tested.status, tested.stderr]).toEqual([0, expect.not.stringContaining('[warn]')])
  const nginx = spawn('nginx', words, { stdio: 'ignore' })
  onTestFinished(async () => {
    nginx.kill('SIGTERM')
    await once(nginx, 'exit')
  })
  return `https://127.0.0.1:${port}`
}

function newFolder(): string {
  const folder = temporaryFolder()
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}
