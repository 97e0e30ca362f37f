import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Caddy with one of our configurations, at `https://localhost:<port>/` with a certificate of its own authority. `relay` lists the addresses
 * of relays, separated by spaces. Resolves once it serves, with the way to stop it.
 */
export async function startCaddy(
  configuration: string,
  port: string | number,
  relay: string,
): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'facedown-caddy-'))
  const caddy = spawn('caddy', ['run', '--config', configuration, '--adapter', 'caddyfile'], {
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
  await new Promise<void>((resolve, reject) => {
    caddy.stderr.on('data', (text) => {
      said += text
      if (said.includes('serving initial configuration')) resolve()
    })
    caddy.once('error', () => reject(new Error('caddy is missing. Get it with: apt-get install caddy')))
    caddy.once('exit', () => reject(new Error(`caddy did not start: ${said}`)))
  })
  return async () => {
    const ended = once(caddy, 'exit')
    caddy.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
}
