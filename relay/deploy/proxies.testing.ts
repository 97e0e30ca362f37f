import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { newFolder } from '../fixtures.testing.ts'
import { freePort } from '../free-port.testing.ts'
import { startCaddy } from './caddy.testing.ts'

export interface RunningProxy {
  /** Without a slash at its end, as pages write origins. */
  readonly url: string
}

/** Everything we ship a configuration for; `path` as it comes before those of the relay. */
export const proxies = [
  { name: 'nginx', path: '', start: (relays: readonly number[]) => startNginx(relays) },
  {
    name: 'nginx under a path',
    path: '/poker',
    start: (relays: readonly number[]) => startNginx(relays, '/poker/'),
  },
  { name: 'Caddy', path: '', start: (relays: readonly number[]) => startOwnCaddy('Caddyfile', relays) },
  {
    name: 'Caddy under a path',
    path: '/poker',
    start: (relays: readonly number[]) => startOwnCaddy('Caddyfile.sub-path', relays),
  },
  {
    name: 'HAProxy',
    path: '',
    start: (relays: readonly number[]) => startHaproxy(relays.map((port) => `127.0.0.1:${port}`)),
  },
]

/** nginx with our configuration, on a port and with a certificate of its own, until the test ends. `path` as `/poker/`. */
export async function startNginx(relays: readonly number[], path = '/'): Promise<RunningProxy> {
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
    .replace(/server 127\.0\.0\.1:8787(.*;)/, (_, words) =>
      relays.map((relay) => `server 127.0.0.1:${relay}${words}`).join('\n'),
    )
    .replace(/\/etc\/letsencrypt\/\S+\/fullchain\.pem/, join(folder, 'certificate.pem'))
    .replace(/\/etc\/letsencrypt\/\S+\/privkey\.pem/, join(folder, 'key.pem'))
  // As its comment says.
  const below = site
    .replace('location / {', `location ${path} {`)
    .replace('proxy_pass http://facedown;', 'proxy_pass http://facedown/;')
  mkdirSync(join(folder, 'temporary'))
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/temporary/${name};`,
  )
  const whole = `
    daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/errors;
    events {} http { access_log off; ${places.join(' ')} ${path === '/' ? site : below} }`
  writeFileSync(join(folder, 'nginx.conf'), whole)
  const words = ['-e', join(folder, 'errors'), '-c', join(folder, 'nginx.conf')]
  const tested = spawnSync('nginx', ['-t', ...words], { encoding: 'utf8' })
  expect([tested.status, tested.stderr]).toEqual([0, expect.not.stringContaining('[warn]')])
  const nginx = spawn('nginx', words, { stdio: 'ignore' })
  onTestFinished(async () => {
    nginx.kill('SIGTERM')
    await once(nginx, 'exit')
  })
  return { url: await untilAnswering(`https://127.0.0.1:${port}`) }
}

/** Caddy with one of our configurations, on a port of its own, until the test ends. */
async function startOwnCaddy(file: string, relays: readonly number[]): Promise<RunningProxy> {
  const port = await freePort()
  const addresses = relays.map((relay) => `127.0.0.1:${relay}`).join(' ')
  onTestFinished(await startCaddy(join(import.meta.dirname, file), port, addresses))
  return { url: await untilAnswering(`https://localhost:${port}`) }
}

export interface RunningHaproxy extends RunningProxy {
  /** What it reports of its relays, a line for each event. */
  readonly said: string
}

/** HAProxy with our configuration, on a port of its own, until the test ends. `nameServer` is the port of the one it asks. */
export async function startHaproxy(relays: readonly string[], nameServer?: number): Promise<RunningHaproxy> {
  const port = await freePort()
  const file = join(newFolder(), 'haproxy.cfg')
  const ours = readFileSync(join(import.meta.dirname, 'haproxy.cfg'), 'utf8')
  const asked = nameServer ? `nameserver own 127.0.0.1:${nameServer}` : 'parse-resolv-conf'
  writeFileSync(file, ours.replace('parse-resolv-conf', asked))
  const addresses = relays.map((address, at) => [`RELAY_${at + 1}`, address])
  const haproxy = spawn('haproxy', ['-db', '-f', file], {
    env: { PATH: process.env.PATH, LISTEN: `127.0.0.1:${port}`, ...Object.fromEntries(addresses) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  haproxy.stderr.on('data', (text) => {
    said += text
  })
  onTestFinished(async () => {
    if (haproxy.exitCode !== null) return
    const ended = once(haproxy, 'exit')
    haproxy.kill('SIGTERM')
    await ended
  })
  return {
    url: await untilAnswering(`http://127.0.0.1:${port}`),
    get said() {
      return said
    },
  }
}

/** Caddy listens before it has a certificate. */
async function untilAnswering(url: string): Promise<string> {
  const ask = () =>
    new Promise<boolean>((resolve) => {
      const { get } = url.startsWith('https') ? https : http
      const question = get(url, { rejectUnauthorized: false, agent: false }, (answer) => {
        answer.resume()
        resolve(true)
      })
      question.once('error', () => resolve(false))
    })
  await expect.poll(ask, { timeout: 10_000 }).toBe(true)
  return url
}

/** The certificates of these proxies are their own. */
export function trustAnybody(): void {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  onTestFinished(() => {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
  })
}
