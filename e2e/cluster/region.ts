import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { type NatsOptions, type NatsServer, startNats } from '../../relay/cluster/nats.testing.ts'
import { freePort, RelayProcess, untilReady } from '../relay.ts'

export interface RegionOptions {
  /** Where people connect. */
  readonly port?: number
  readonly nats?: NatsOptions
  /** For its relays and stores. */
  readonly settings?: Readonly<Record<string, string>>
  /** As `RelayProcess.start` takes it. */
  readonly built?: string
  /** So many relays the balancer knows and that do not run yet; at most two. */
  readonly spares?: number
}

/** A whole region on this machine: NATS, two stores with a database each, two relays, and HAProxy, which people connect to. */
export class RegionProcesses {
  readonly nats: NatsServer
  readonly stores: readonly RelayProcess[]
  readonly relays: readonly RelayProcess[]
  readonly spares: readonly RelayProcess[]
  /** Of the balancer. */
  readonly url: string
  readonly #balancer: ChildProcess

  private constructor(
    nats: NatsServer,
    stores: readonly RelayProcess[],
    relays: readonly RelayProcess[],
    spares: readonly RelayProcess[],
    port: number,
    balancer: ChildProcess,
  ) {
    this.nats = nats
    this.stores = stores
    this.relays = relays
    this.spares = spares
    this.url = `http://localhost:${port}/`
    this.#balancer = balancer
  }

  static async start(name: string, options: RegionOptions = {}): Promise<RegionProcesses> {
    const nats = await startNats(options.nats)
    const parts: RelayProcess[] = []
    const part = async (ROLE: string, isSpare = false) => {
      const process = await RelayProcess.reserve(options.built ?? 'dist', {
        NATS_URL: nats.url,
        REGION: name,
        ROLE,
        TRUST_PROXY: '1',
        ...options.settings,
      })
      parts.push(process)
      if (!isSpare) await process.resume()
      return process
    }
    try {
      const stores = await Promise.all([part('store'), part('store')])
      const relays = await Promise.all([part('relay'), part('relay')])
      const spares = await Promise.all(Array.from({ length: options.spares ?? 0 }, () => part('relay', true)))
      const at = options.port ?? (await freePort())
      const balancer = await startBalancer(at, [...relays, ...spares], spares.length)
      return new RegionProcesses(nats, stores, relays, spares, at, balancer)
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
    await Promise.all([...this.relays, ...this.spares, ...this.stores].map((process) => process.remove()))
    await this.nats.stop()
  }
}

async function startBalancer(
  port: number,
  relays: readonly RelayProcess[],
  spares: number,
): Promise<ChildProcess> {
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
  // It takes servers for up until it has asked them.
  while ((said.match(/ is DOWN/g)?.length ?? 0) < spares) await Promise.race([failed, wait(50)])
  return balancer
}
