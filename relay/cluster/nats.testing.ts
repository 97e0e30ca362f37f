import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { freePort } from '../free-port.testing.ts'

export interface NatsServer {
  readonly url: string
  readonly pid: number | undefined
  signal(signal: NodeJS.Signals): void
  /** Whether the bytes are in what a reader of its streams would get. */
  holds(bytes: Uint8Array): Promise<boolean>
  /** Where its files are. */
  readonly folder: string
  /** Ends it and starts it again on the same port and files; what it kept only in memory is gone. */
  restart(): Promise<void>
  /** As if its disk had been replaced. */
  forget(): Promise<void>
  /** What its disk has now, for `goBack`; it is started again for that. */
  copy(): Promise<string>
  /** As if it had lost power before it wrote the rest, or an older disk had been restored. */
  goBack(copy: string): Promise<void>
  end(signal?: NodeJS.Signals): Promise<void>
  stop(): Promise<void>
}

export interface NatsOptions {
  /** Of its JetStream, which has the name of its region. */
  readonly domain: string
  /** Takes links of other regions' servers. They would look for it at its own address after the first one, unless told another. */
  readonly leafs?: { readonly port: number; readonly advertised: number }
  /** Who is let in, as NATS writes it. */
  readonly authorization?: string
  /** Where another region's server takes this one's link. */
  readonly linkedTo?: number
}

/** A NATS server of its own, with JetStream, on a free port of this machine. Debian's `nats-server` is enough. */
export async function startNats(options?: NatsOptions): Promise<NatsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'facedown-nats-'))
  const file = join(folder, 'nats.conf')
  const port = await freePort()
  const { domain, authorization, leafs, linkedTo } = options ?? {}
  const lines = [
    'host: 127.0.0.1',
    `port: ${port}`,
    'max_payload: 2MB',
    `jetstream { store_dir: "${folder}/jetstream"${domain ? `, domain: ${domain}` : ''} }`,
    authorization && `authorization { ${authorization} }`,
    leafs && `leafnodes { host: 127.0.0.1, port: ${leafs.port}, advertise: "127.0.0.1:${leafs.advertised}" }`,
    linkedTo && `leafnodes { reconnect: 1, remotes: [ { url: "nats-leaf://127.0.0.1:${linkedTo}" } ] }`,
  ]
  writeFileSync(file, lines.filter(Boolean).join('\n'))
  let server = await run(file)

  async function end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return
    server.kill(signal)
    await once(server, 'exit')
  }

  return {
    folder,
    url: `127.0.0.1:${port}`,
    get pid() {
      return server.pid
    },
    signal: (signal) => void server.kill(signal),
    restart: async () => {
      await end()
      server = await run(file)
    },
    forget: async () => {
      await end()
      rmSync(join(folder, 'jetstream'), { recursive: true })
      server = await run(file)
    },
    copy: async () => {
      await end('SIGTERM')
      const copy = mkdtempSync(join(folder, 'copy-'))
      cpSync(join(folder, 'jetstream'), copy, { recursive: true })
      server = await run(file)
      return copy
    },
    goBack: async (copy) => {
      await end()
      rmSync(join(folder, 'jetstream'), { recursive: true })
      cpSync(copy, join(folder, 'jetstream'), { recursive: true })
      server = await run(file)
    },
    end,
    holds: async (bytes) => {
      const connection = await connect({ servers: `127.0.0.1:${port}` })
      const { streams } = await jetstreamManager(connection)
      const found = async (stream: string, seq: number) => (await streams.getMessage(stream, { seq }))?.data
      try {
        for await (const { config, state } of streams.list()) {
          for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
            const data = await found(config.name, seq).catch(() => undefined) // removed
            if (data && Buffer.from(data).includes(Buffer.from(bytes))) return true
          }
        }
        return false
      } finally {
        await connection.close()
      }
    },
    stop: async () => {
      await end()
      rmSync(folder, { recursive: true })
    },
  }
}

async function run(file: string): Promise<ChildProcess> {
  const process = spawn('nats-server', ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  await new Promise<void>((resolve, reject) => {
    process.once('error', () =>
      reject(new Error('nats-server is missing. Get it with: apt-get install nats-server')),
    )
    process.once('exit', () => reject(new Error(`nats-server did not start: ${said}`)))
    process.stderr.on('data', (text) => {
      said += text
      if (said.includes('Server is ready')) resolve()
    })
  })
  return process
}
