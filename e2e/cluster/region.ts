import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type NatsOptions, type NatsServer, startNats } from '../../relay/cluster/nats.testing.ts'
import { freePort, RelayProcess, untilReady } from '../relay.ts'

export interface RegionOptions {
  /** Where people connect. */
  readonly port?: number
  readonly nats?: NatsOptions
  /** For its relays and stores. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A whole region on this machine: NATS, two stores with a database each, two relays, and HAProxy, which people connect to. */
export class RegionProcesses {
  readonly nats: NatsServer
  readonly stores: readonly RelayProcess[]
  readonly relays: readonly RelayProcess[]
  /** Of the balancer. */
  readonly url: string
  readonly #balancer: ChildProcess

  private constructor(
    nats: NatsServer,
    stores: readonly RelayProcess[],
    relays: readonly RelayProcess[],
    port: number,
    balancer: ChildProcess,
  ) {
    this.nats = nats
    this.stores = stores
    this.relays = relays
    this.url = `http://localhost:${port}/`
    this.#balancer = balancer
  }

  static async start(name: string, options: RegionOptions = {}): Promise<RegionProcesses> {
    const nats = await startNats(options.nats)
    const parts: RelayProcess[] = []
    const part = async (ROLE: string) => {
      const process = await RelayProcess.start('dist', {
        NATS_URL: nats.url,
        REGION: name,
        ROLE,
        TRUST_PROXY: '1',
        ...options.settings,
      })
      parts.push(process)
      return process
    }
    try {
      const stores = await Promise.all([part('store'), part('store')])
      const relays = await Promise.all([part('relay'), part('relay')])
      const at = options.port ?? (await freePort())
      return new RegionProcesses(nats, stores, relays, at, await startBalancer(at, relays))
    } catch (error) {
      await Promise.all(parts.map((process) => process.remove()))
      await nats.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    const ended = once(this.#balancer, 'exit')
    this.#balancer.kill('SIGTERM')
    await ended
    await Promise.all([...this.relays, ...this.stores].map((process) => process.remove()))
    await this.nats.stop()
  }
}

async function startBalancer(port: number, relays: readonly RelayProcess[]): Promise<ChildProcess> {
  const addresses = relays.map((relay, at) => [`RELAY_${at + 1}`, `localhost:${relay.port}`])
  const balancer = spawn('haproxy', ['-db', '-f', 'relay/deploy/haproxy.cfg'], {
    env: { ...process.env, ...Object.fromEntries(addresses), LISTEN: `127.0.0.1:${port},[::1]:${port}` },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  balancer.stderr.on('data', (text) => {
    said += text
  })
  const failed = new Promise<never>((_, reject) => {
    balancer.once('error', () =>
      reject(new Error('haproxy is missing. Get it with: apt-get install haproxy')),
    )
    balancer.once('exit', () => reject(new Error(`haproxy did not start: ${said}`)))
  })
  failed.catch(() => {})
  await Promise.race([failed, untilReady(`http://localhost:${port}/`)])
  return balancer
}
