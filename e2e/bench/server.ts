import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../relay/free-port.testing.ts'
import type { Dialect } from './dialects.ts'
import { cpuOf, mainThreadCpuOf, memoryOf } from './figures.ts'
import { Load, listening } from './load-process.ts'

/** What is compared: the relay, what `ws` costs at least, and two servers that read what they carry and keep it in memory. */
export const servers = {
  floor: { program: 'e2e/bench/floor.mjs', dialect: 'plain' },
  'y-websocket-server': { program: 'e2e/bench/y-websocket.mjs', dialect: 'yjs' },
  hocuspocus: { program: 'e2e/bench/hocuspocus.mjs', dialect: 'hocuspocus' },
  facedown: { program: process.env.PROGRAM ?? 'dist/relay/main.js', dialect: 'facedown' },
} as const satisfies Record<string, { program: string; dialect: Dialect }>
export type ServerName = keyof typeof servers

/** A server alone on the first core, and its load on the second. */
export class Server {
  readonly port: number
  readonly load: Load
  readonly dialect: Dialect
  readonly #process: ChildProcess
  readonly #folder: string

  private constructor(port: number, dialect: Dialect, process: ChildProcess, folder: string) {
    this.port = port
    this.dialect = dialect
    this.load = new Load()
    this.#process = process
    this.#folder = folder
  }

  static async start(
    name: ServerName,
    settings: Readonly<Record<string, string>> = {},
    nodeOptions: readonly string[] = process.env.SERVER_OPTIONS?.split(' ') ?? [],
  ): Promise<Server> {
    const { program, dialect } = servers[name]
    const port = await freePort()
    const folder = mkdtempSync(join(tmpdir(), 'facedown-bench-'))
    const child = spawn('taskset', ['-c', '0', process.execPath, ...nodeOptions, program], {
      env: { ...process.env, PORT: String(port), HOST: '127.0.0.1', DATA_DIR: folder, ...settings },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    await listening(port)
    return new Server(port, dialect, child, folder)
  }

  /** In seconds; `sockets` is the thread that serves them. */
  get cpu(): { readonly all: number; readonly sockets: number } {
    return { all: cpuOf(this.#pid), sockets: mainThreadCpuOf(this.#pid) }
  }

  get memory(): number {
    return memoryOf(this.#pid)
  }

  connect(teams: number, size: number): Promise<unknown> {
    const { port, dialect } = this
    return this.load.ask({ do: 'connect', ports: [port], dialect, teams, size })
  }

  async stop(): Promise<void> {
    this.load.end()
    this.#process.kill('SIGKILL')
    await once(this.#process, 'exit')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #pid(): number {
    return this.#process.pid ?? 0
  }
}

/** Starts a server, and ends it whatever happens. */
export async function withServer<Result>(
  name: ServerName,
  work: (server: Server) => Promise<Result>,
  settings?: Readonly<Record<string, string>>,
): Promise<Result> {
  const server = await Server.start(name, settings)
  try {
    return await work(server)
  } finally {
    await server.stop()
  }
}
