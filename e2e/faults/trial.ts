import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject, onTestFinished } from 'vitest'
import { newFolder } from '../../relay/fixtures.testing.ts'
import { type RelayProcess, startRelayProcess } from '../../relay/process.testing.ts'

/** A relay process that bad things happen to. It ends with the test. */
export class Trial {
  readonly dataDir: string
  readonly #environment: Record<string, string>
  #relay: RelayProcess | undefined
  #port: string | undefined
  /** All it ever wrote to standard output. */
  said = ''

  private constructor(dataDir: string, environment: Record<string, string>) {
    this.dataDir = dataDir
    this.#environment = environment
  }

  static async start(environment: Record<string, string> = {}, dataDir = newFolder()): Promise<Trial> {
    const trial = new Trial(dataDir, environment)
    onTestFinished(async () => void (await trial.#relay?.end('SIGKILL')))
    await trial.resume()
    return trial
  }

  get relay(): RelayProcess {
    if (!this.#relay) throw new Error('The relay does not run')
    return this.#relay
  }

  get url(): string {
    return this.relay.url
  }

  get port(): number {
    return this.relay.port
  }

  get file(): string {
    return join(this.dataDir, 'facedown.sqlite')
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    return await this.relay.end(signal)
  }

  /** Starts it again on the same port and data. */
  async resume(): Promise<void> {
    const PORT = this.#port
    this.#relay = await startRelayProcess({
      DATA_DIR: this.dataDir,
      HOST: '127.0.0.1',
      ...this.#environment,
      ...(PORT ? { PORT } : {}),
    })
    this.#port = String(this.#relay.port)
    this.#relay.process.stdout?.on('data', (text) => {
      this.said += text
    })
  }

  /** Runs one of the program's commands on its data, or on another folder. */
  async command(words: readonly string[], dataDir = this.dataDir): Promise<{ code: number; said: string }> {
    const program = join(inject('builtRelay'), '../facedown.js')
    const env = { PATH: process.env.PATH, DATA_DIR: dataDir }
    const command = spawn(process.execPath, [program, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [command.stdout, command.stderr]) stream.on('data', (text) => (said += text))
    const [code] = await once(command, 'close')
    return { code, said }
  }

  signal(signal: NodeJS.Signals): void {
    this.relay.process.kill(signal)
  }
}

/** What makes a relay's disk slow, and the way to say how slow, in milliseconds per commit. */
export function slowDisk(): { environment: Record<string, string>; takes(milliseconds: number): void } {
  const SLOW_DISK = join(newFolder(), 'milliseconds')
  const takes = (milliseconds: number) => writeFileSync(SLOW_DISK, String(milliseconds))
  takes(0)
  const stand = join(import.meta.dirname, 'slow-disk.cjs')
  return { environment: { SLOW_DISK, NODE_OPTIONS: `--require ${stand}` }, takes }
}

export async function until(fact: () => boolean, what: string, patience = 30_000): Promise<void> {
  const end = performance.now() + patience
  while (!fact()) {
    if (performance.now() > end) throw new Error(`Not within ${patience / 1000} s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
