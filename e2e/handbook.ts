/**
 * `node --import tsx e2e/handbook.ts`: from a clean folder to a relay with TLS under a path behind Caddy, by the commands of
 * `relay/OPERATING.md` alone, and two people meet there. Folders of the system are folders below a new one; what only root may do
 * (users, packages, services) is done here in its stead: the units' own commands run, with their settings.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../relay/free-port.testing.ts'
import { untilReady } from './relay.ts'

const root = mkdtempSync(join(tmpdir(), 'facedown-handbook-'))
chmodSync(root, 0o755)
const [relayPort, sitePort] = [await freePort(), await freePort()]
const site = `localhost:${sitePort}`
const handbook = readFileSync('relay/OPERATING.md', 'utf8')
const services: ChildProcess[] = []
/** The user `facedown`. */
const nobody = String(process.getuid?.() === 0 ? 65_534 : process.getuid?.())
let folder = root
const inRoot = (text: string) => text.replace(/(?<![\w.:/])\/(opt|etc|var)(?=\/)/g, `${root}/$1`)

for (const folder of ['opt', 'etc/caddy', 'etc/systemd/system', 'var/lib', 'var/backups']) {
  mkdirSync(join(root, folder), { recursive: true })
}
try {
  for (const command of commandsOf('Install')) await follow(command)
  for (const command of commandsOf('TLS and sub-path')) await follow(command)
  await untilReady(`http://127.0.0.1:${relayPort}/`)
  const url = `https://${site}/poker/`
  console.log(`people meet at ${url}`)
  const smoke = spawn('npx', ['playwright', 'test', 'smoke.spec.ts', '--project=people'], {
    env: { ...process.env, FACEDOWN_URL: url },
    stdio: 'inherit',
  })
  const [code] = await once(smoke, 'exit')
  if (code !== 0) throw new Error(`The smoke test ended with ${code}`)
  for (const command of commandsOf('Backup and restore', 'systemctl')) await follow(command)
  await untilReady(`http://127.0.0.1:${relayPort}/`)
  console.log('The handbook leads to a relay that works.')
} finally {
  for (const service of services) await end(service)
  rmSync(root, { recursive: true, force: true })
}

/** The lines of a section's first block, or of the first that begins with a word. */
function commandsOf(section: string, word = 'apt-get'): string[] {
  const [, text = ''] = handbook.split(`\n## ${section}\n`)
  const blocks = [...(text.split('\n## ')[0] ?? '').matchAll(/```sh\n(.*?)```/gs)].map(
    ([, block = '']) => block,
  )
  const block = blocks.find((lines) => lines.startsWith(word))
  if (!block) throw new Error(`The handbook has no commands in ${section}`)
  return block.trim().split('\n')
}

async function follow(command: string): Promise<void> {
  console.log(`# ${command}`)
  const [program = '', ...words] = command.split(' ')
  switch (program) {
    case 'apt-get':
    case 'useradd':
      return
    case 'git':
      // What is committed, as somebody else would get it.
      execFileSync('git', ['clone', '-q', process.cwd(), inRoot(words.at(-1) ?? '')], { stdio: 'inherit' })
      return
    case 'cd':
      folder = inRoot(words[0] ?? '')
      return
    case 'systemctl':
      return systemctl(words)
    case 'facedown':
      return asService('facedown.service', (node, program, env, options) => {
        const backup = spawnSync(node, [program, 'backup', ...words.slice(1).map(inRoot)], {
          env,
          ...options,
        })
        if (backup.status !== 0) throw new Error('The backup did not succeed')
        const restored = spawnSync(node, [program, ...words.map(inRoot)], { env, ...options })
        if (restored.status !== 0) throw new Error('The restore did not succeed')
      })
    default: {
      const text = inRoot(command)
        .replace(/-o facedown -g facedown /, `-o ${nobody} -g ${nobody} `)
        .replace(/127\.0\.0\.1:8787/, `127.0.0.1:${relayPort}`)
      execFileSync('sh', ['-ec', text], {
        cwd: folder,
        env: { ...process.env, SITE: site },
        stdio: 'inherit',
      })
    }
  }
}

async function systemctl([word, ...units]: string[]): Promise<void> {
  if (word === 'stop') return await end(services.shift())
  if (word === 'daemon-reload') return
  if (units.includes('caddy.service')) services.push(startCaddy())
  if (units.includes('facedown.service')) {
    await asService('facedown.service', (node, program, env, options) => {
      services.unshift(spawn(node, [program, 'start'], { env, ...options }))
    })
  }
}

type Options = { uid?: number; gid?: number; cwd: string; stdio: 'inherit' }

/** As the unit says: its program, its settings, and its folder, as somebody who owns nothing else. */
async function asService(
  unit: string,
  run: (node: string, program: string, env: Record<string, string>, options: Options) => void,
): Promise<void> {
  const text = inRoot(readFileSync(join(root, 'etc/systemd/system', unit), 'utf8'))
  const [, node = '', program = ''] = /^ExecStart=(\S+) (\S+)/m.exec(text) ?? []
  const settings = `${/^Environment=(.*)$/m.exec(text)?.[1]} ${readFileSync(join(root, 'etc/facedown.env'), 'utf8')}`
  const env: Record<string, string> = { PATH: process.env.PATH ?? '', PORT: String(relayPort) }
  for (const [, name = '', value = ''] of settings.matchAll(/(\w+)=(\S+)/g)) env[name] = value
  const state = join(root, 'var/lib', /^StateDirectory=(\S+)$/m.exec(text)?.[1] ?? '')
  if (!existsSync(state)) execFileSync('install', ['-d', '-o', nobody, '-g', nobody, '-m', '700', state])
  const who = process.getuid?.() === 0 ? { uid: Number(nobody), gid: Number(nobody) } : {}
  run(existsSync(node) ? node : process.execPath, program, env, { ...who, cwd: state, stdio: 'inherit' })
}

function startCaddy(): ChildProcess {
  const dropIn = readFileSync(join(root, 'etc/systemd/system/caddy.service.d/facedown.conf'), 'utf8')
  const [, SITE = ''] = /^Environment=SITE=(.*)$/m.exec(dropIn) ?? []
  const configuration = join(root, 'etc/caddy/Caddyfile')
  const GLOBAL_OPTIONS = 'local_certs\nskip_install_trust\nauto_https disable_redirects\nadmin off'
  const env = { PATH: process.env.PATH, HOME: root, SITE, GLOBAL_OPTIONS, RELAY: `127.0.0.1:${relayPort}` }
  return spawn('caddy', ['run', '--config', configuration, '--adapter', 'caddyfile'], {
    env,
    stdio: 'ignore',
  })
}

async function end(service: ChildProcess | undefined): Promise<void> {
  if (!service || service.exitCode !== null || service.signalCode !== null) return
  const ended = once(service, 'exit')
  service.kill('SIGTERM')
  await ended
}
