import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough, type Readable, type Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { build } from 'vite'
import { inject } from 'vitest'
import { obey } from '../client/terminal/obey.ts'

const top = join(import.meta.dirname, '..')

/** The program as it is built, with what people use of it. */
export async function buildProgram(): Promise<string> {
  const folder = dirname(inject('builtRelay'))
  await build({
    configFile: join(top, 'client/terminal/vite.config.ts'),
    logLevel: 'error',
    build: { outDir: join(folder, 'terminal') },
  })
  return join(folder, 'facedown.js')
}

export interface Ended {
  readonly code: number | null
  readonly said: string
  readonly complaint: string
}

/** Somebody's machine: a folder, in which who they are is kept, and the program. */
export class Machine {
  readonly folder = mkdtempSync(join(tmpdir(), 'facedown-machine-'))
  readonly #endings: (() => Promise<unknown>)[] = []

  /** A command, in this process. */
  start(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Running {
    const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()]
    let stop = () => {}
    const stopped = new Promise<void>((resolve) => {
      stop = resolve
    })
    const place = {
      input,
      output,
      errors,
      environment: { XDG_STATE_HOME: this.folder, ...environment },
      stopped,
    }
    const code = obey(words, place).finally(() => {
      output.end()
      errors.end()
    })
    const running = new Running(input, output, errors, code, stop)
    this.#endings.push(() => running.interrupted())
    return running
  }

  /** Runs to the end, with this as its whole input. */
  run(
    words: readonly string[],
    input = '',
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Ended> {
    const running = this.start(words, environment)
    running.types(input)
    return running.endsInput()
  }

  /** Lines of a shell in which `facedown` is the built program. */
  shell(lines: string, program: string): Running {
    const env = { PATH: process.env.PATH, XDG_STATE_HOME: this.folder }
    const command = `facedown() { '${process.execPath}' '${program}' "$@"; }\n${lines}`
    const shell = spawn('bash', ['--norc', '-euo', 'pipefail', '-c', command], {
      cwd: this.folder,
      env,
      stdio: 'pipe',
      detached: true,
    })
    const kill = () => {
      // Whatever it began, too.
      if (shell.pid !== undefined && shell.exitCode === null && shell.signalCode === null)
        process.kill(-shell.pid)
    }
    const ended = once(shell, 'close').then(() => shell.exitCode)
    const running = new Running(shell.stdin, shell.stdout, shell.stderr, ended, kill)
    this.#endings.push(() => running.interrupted())
    return running
  }

  async remove(): Promise<void> {
    for (const end of this.#endings) await end()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** What runs at somebody's terminal. */
export class Running {
  said = ''
  complaint = ''
  readonly #input: Writable
  readonly #code: Promise<number | null>
  readonly #heardAll: Promise<unknown>
  readonly #stop: () => void
  #hasEnded = false
  #heard = () => {}

  constructor(
    input: Writable,
    output: Readable,
    errors: Readable,
    code: Promise<number | null>,
    stop: () => void,
  ) {
    this.#input = input
    this.#stop = stop
    this.#heardAll = Promise.all([finished(output), finished(errors)])
    this.#code = code.finally(() => {
      this.#hasEnded = true
      this.#heard()
    })
    input.on('error', () => {}) // it has ended, which is what tests ask about
    output.setEncoding('utf8').on('data', (text) => {
      this.said += text
      this.#heard()
    })
    errors.setEncoding('utf8').on('data', (text) => {
      this.complaint += text
    })
  }

  types(text: string): void {
    this.#input.write(text)
  }

  /** Waits until it has said this. */
  async says(text: string): Promise<void> {
    while (!this.said.includes(text)) {
      if (this.#hasEnded) throw new Error(`It ended without saying "${text}": ${this.said}${this.complaint}`)
      await new Promise<void>((resolve) => {
        this.#heard = resolve
      })
    }
  }

  endsInput(): Promise<Ended> {
    this.#input.end()
    return this.ends()
  }

  interrupted(): Promise<Ended> {
    this.#stop()
    return this.ends()
  }

  async ends(): Promise<Ended> {
    const code = await this.#code
    await this.#heardAll
    return { code, said: this.said, complaint: this.complaint }
  }
}
