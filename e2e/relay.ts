import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../relay/free-port.testing.ts'

/** The built relay as people run it: a process of its own, with a data folder of its own. */
export class RelayProcess {
  readonly port: number
  readonly dataDir: string
  /** Everything it ever printed. */
  output = ''
  /** How often it was ended. */
  stops = 0
  /** The address people use, when something stands in front of it. */
  front: string | undefined
  readonly #built: string
  readonly #environment: Readonly<Record<string, string>>
  #child: ChildProcess | undefined
  #collapse: Error | undefined

  private constructor(port: number, built: string, environment: Readonly<Record<string, string>>) {
    this.port = port
    this.#built = built
    this.#environment = environment
    this.dataDir = mkdtempSync(join(tmpdir(), 'facedown-'))
  }

  /** `built` is where the build lies, with the client that the relay hands out, or the program alone. */
  static async start(
    built = 'dist',
    environment: Readonly<Record<string, string>> = {},
  ): Promise<RelayProcess> {
    const relay = await RelayProcess.reserve(built, environment)
    await relay.resume()
    return relay
  }

  /** One that has its port and does not run yet. */
  static async reserve(built: string, environment: Readonly<Record<string, string>>): Promise<RelayProcess> {
    return new RelayProcess(await freePort(), built, environment)
  }

  get url(): string {
    return this.front ?? this.direct
  }

  /** Past the proxy that people are to use. */
  get direct(): string {
    return `http://localhost:${this.port}/`
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts it again on the same port and data. */
  async resume(nodeOptions: readonly string[] = []): Promise<void> {
    const program = this.#built.endsWith('.js') ? this.#built : join(this.#built, 'relay/main.js')
    const child = spawn(process.execPath, [...nodeOptions, program], {
      env: {
        ...process.env,
        PORT: String(this.port),
        DATA_DIR: this.dataDir,
        HOST: 'localhost',
        ...this.#environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    let said = ''
    await new Promise<void>((resolve, reject) => {
      const listen = (text: Buffer) => {
        said += text
        this.output += text
        // Whoever answers at its port before that is somebody else.
        if (said.includes(' listens on ')) resolve()
      }
      child.stdout.on('data', listen)
      child.stderr.on('data', listen)
      child.once('close', () => {
        const end = new Error(`The relay ended by itself. It said:\n${said}`)
        if (this.#child === child) {
          this.#child = undefined
          this.#collapse = end
        }
        reject(end)
      })
    })
    await untilReady(this.direct)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** Ends the process; nothing of it answers any more when this resolves. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = undefined
    this.stops++
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }

  /** Ends it for good. Rejects with what it said when it had ended by itself before. */
  async remove(): Promise<void> {
    await this.stop('SIGKILL')
    rmSync(this.dataDir, { recursive: true, force: true })
    if (this.#collapse) throw this.#collapse
  }
}

/** Once a relay says that it is; with `healthz`, once one does behind what stands in front of it. */
export async function untilReady(url: string, path = 'readyz'): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const ready = await fetch(`${url}${path}`).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('The relay did not get ready within 10 s')
}
