import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './relay.ts'

export interface Caddy {
  /** `https://localhost:<port>/` */
  readonly url: string
  stop(): Promise<void>
}

/** Caddy with one of our configurations, with a certificate of its own authority and on a port of its own. */
export async function startCaddy(configuration: string, relay: string): Promise<Caddy> {
  const folder = mkdtempSync(join(tmpdir(), 'facedown-caddy-'))
  const port = await freePort()
  const words = ['run', '--config', configuration, '--adapter', 'caddyfile']
  const caddy = spawn('caddy', words, {
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      SITE: `localhost:${port}`,
      RELAY: relay,
      GLOBAL_OPTIONS: 'local_certs\nskip_install_trust\nauto_https disable_redirects\nadmin off',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  const serves = new Promise<void>((resolve, reject) => {
    caddy.stderr.on('data', (text) => {
      said += text
      if (said.includes('serving initial configuration')) resolve()
    })
    caddy.once('error', () => reject(new Error('caddy is missing. Get it with: apt-get install caddy')))
    caddy.once('exit', () => reject(new Error(`caddy did not start: ${said}`)))
  })
  await serves
  return {
    url: `https://localhost:${port}/`,
    stop: async () => {
      const ended = once(caddy, 'exit')
      caddy.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
