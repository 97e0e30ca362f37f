import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { inject } from 'vitest'
import { freePort } from './free-port.testing.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The `main.js` of the relay that all tests of a project start. */
    builtRelay: string
  }
}

const top = join(import.meta.dirname, '..')

export interface RelayProcess {
  readonly url: string
  readonly port: number
  readonly process: ChildProcess
  /** Sends a signal and waits for the end. Returns the exit code, null when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

export const relayInTypeScript = join(top, 'relay/main.ts')

/** Runs the relay as it is built. */
export function spawnRelay(
  environment: Record<string, string>,
  main = inject('builtRelay'),
  words: readonly string[] = [],
): ChildProcess {
  const loader = main.endsWith('.ts') ? ['--import', 'tsx'] : []
  const env = { PATH: process.env.PATH, ...environment }
  return spawn(process.execPath, [...loader, main, ...words], {
    cwd: top,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Resolves once the relay listens. Rejects with what it said when it does not. */
export async function startRelayProcess(
  environment: Record<string, string>,
  main?: string,
): Promise<RelayProcess> {
  const relay = spawnRelay({ PORT: String(await freePort()), ...environment }, main)
  let said = ''
  const port = await new Promise<number>((resolve, reject) => {
    const listen = (text: Buffer) => {
      said += text
      const listening = /listens on http:\/\/\S+:(\d+)/.exec(said)
      if (listening) resolve(Number(listening[1]))
    }
    relay.stdout?.on('data', listen)
    relay.stderr?.on('data', listen)
    relay.once('exit', () => reject(new Error(`The relay did not start: ${said}`)))
  })
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    process: relay,
    end: async (signal) => {
      if (relay.exitCode !== null || relay.signalCode !== null) return relay.exitCode
      relay.kill(signal)
      await once(relay, 'exit')
      return relay.exitCode
    },
  }
}

/** What a relay that does not start says, and its exit code. */
export async function startupFailure(
  environment: Record<string, string>,
): Promise<{ code: number | null; words: string }> {
  const { code, complaint } = await answerOf([], environment)
  return { code, words: complaint }
}

/** What the program says when it is started with words, and its exit code. */
export async function answerOf(
  words: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ code: number | null; answer: string; complaint: string }> {
  const relay = spawnRelay(environment, undefined, words)
  let [answer, complaint] = ['', '']
  relay.stdout?.on('data', (text) => {
    answer += text
  })
  relay.stderr?.on('data', (text) => {
    complaint += text
  })
  await once(relay, 'close')
  return { code: relay.exitCode, answer, complaint }
}
