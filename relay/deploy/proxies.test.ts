import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { createSessionKeys } from '../../shared/keys.ts'
import { subprotocol } from '../../shared/wire.ts'
import { BareClient } from '../connections/bare-client.testing.ts'
import { newFolder, started } from '../fixtures.testing.ts'
import { someEnvelope } from '../testing.ts'
import { proxies, startNginx, trustAnybody } from './proxies.testing.ts'

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

test.each(proxies)(
  'what is for operators stays inside of $name, however the path is written',
  async ({ path, start }) => {
    trustAnybody()
    const token = 'an-operator-knows-that'
    const relay = await started({ trustProxy: true, metricsToken: token })
    const { url } = await start([relay.port])
    expect(await askRaw(url, `${path}/config.json`)).toBe(200)
    const headers = { authorization: `Bearer ${token}` }
    expect(await askRaw(relay.url, '/metrics', headers)).toBe(200)
    const got: string[] = []
    for (const inner of ['metrics', 'readyz', 'status', 'status/', 'status/status.json']) {
      expect([inner, await askRaw(url, `${path}/${inner}`, headers)]).toEqual([inner, 404])
      const encoded = `%${inner.charCodeAt(0).toString(16)}${inner.slice(1)}`
      const ways = ['//', '/./', '/x/../', '/x/%2e%2e/', '/%zz/../', `/..${path}/`].flatMap((way) => [
        way + inner,
        way + encoded,
      ])
      for (const way of [...ways, `/${encoded}`, `/${inner}?x`, `/${inner}#x`]) {
        const status = await askRaw(url, path + way, headers)
        if (!isRefusal(status)) got.push(`${status} ${way}`)
      }
    }
    expect(got).toEqual([])
  },
)

test('alice and bob meet through nginx', async () => {
  const relay = await started({ trustProxy: true, maxConnectionsPerAddress: 2 })
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
  // Both of them came from here, whatever they say of themselves.
  const carol = { headers: { 'X-Forwarded-For': '203.0.113.7' }, origin: url }
  const socket = new WebSocket(`${url.replace('http', 'ws')}/sync/${keys.session}`, subprotocol, carol)
  onTestFinished(() => socket.terminate())
  await expect(once(socket, 'open')).rejects.toThrow('429')
  alice.socket.close()
  bob.socket.close()
})

const isRefusal = (status: number) => status >= 400 && status < 500

/** The status of what it answers to exactly that path, which `fetch` would tidy up. */
async function askRaw(url: string, path: string, headers = {}): Promise<number> {
  const ask = url.startsWith('https') ? https.request : http.request
  const question = ask(url, { path, headers, agent: false }).end()
  const [answer] = await once(question, 'response')
  answer.resume()
  return answer.statusCode
}
