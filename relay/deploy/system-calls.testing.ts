import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createSessionKeys } from '../../shared/keys.ts'
import { buildRelay } from '../build.testing.ts'
import { BareClient } from '../connections/bare-client.testing.ts'
import { freePort } from '../free-port.testing.ts'
import { someEnvelope, temporaryFolder } from '../testing.ts'

/** The names in a set of systemd's, and in the sets it is made of. */
export function systemCallsOf(set: string): string[] {
  const said = execFileSync('systemd-analyze', ['syscall-filter', set], { encoding: 'utf8' })
  return said
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((name) => (name.startsWith('@') ? systemCallsOf(name) : name))
}

/** A tracer keeps signals to itself. */
function traced(tracer = 0): number {
  return Number(readFileSync(`/proc/${tracer}/task/${tracer}/children`, 'utf8').split(' ')[0])
}

/** What a relay and one of its commands ask the kernel for, from start to stop. */
export async function systemCallsWhileServing(): Promise<Set<string>> {
  const main = await buildRelay(`facedown-traced-${process.pid}`)
  const folder = temporaryFolder()
  const trace = join(folder, 'trace')
  const backupTrace = join(folder, 'backup-trace')
  const program = join(main, '../facedown.js')
  const env = {
    PATH: process.env.PATH,
    DATA_DIR: join(folder, 'data'),
    HOST: '127.0.0.1',
    PORT: String(await freePort()),
  }
  const start = (to: string, words: string[]) =>
    spawn('strace', ['-f', '-qq', '-o', to, process.execPath, program, ...words], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  try {
    const relay = start(trace, ['start'])
    const url = await new Promise<string>((resolve) => {
      relay.stdout.on('data', (text) => {
        const [address] = /http:\S+/.exec(String(text)) ?? []
        if (address) resolve(address)
      })
    })
    const alice = await BareClient.join(url, createSessionKeys())
    alice.append(someEnvelope())
    await alice.next('saved')
    await fetch(`${url}/readyz`)
    const [code] = await once(start(backupTrace, ['backup', join(folder, 'backups')]), 'exit')
    if (code !== 0) throw new Error(`The backup ended with ${code}`)
    process.kill(traced(relay.pid), 'SIGTERM')
    await once(relay, 'exit')
    const lines = readFileSync(trace, 'utf8') + readFileSync(backupTrace, 'utf8')
    return new Set([...lines.matchAll(/^\d+ +(\w+)\(/gm)].map(([, name = '']) => name))
  } finally {
    rmSync(folder, { recursive: true, force: true })
    rmSync(join(main, '..'), { recursive: true, force: true })
  }
}
