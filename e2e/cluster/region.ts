import { type NatsOptions, type NatsServer, startNats } from '../../relay/cluster/nats.testing.ts'
import { freePort } from '../../relay/free-port.testing.ts'
import { RelayProcess } from '../relay.ts'
import { Balancer } from './balancer.ts'

export interface RegionOptions {
  /** Where people connect. */
  readonly port?: number
  readonly nats?: NatsOptions
  /** For its relays and stores. */
  readonly settings?: Readonly<Record<string, string>>
  /** As `RelayProcess.start` takes it. */
  readonly built?: string
  /** So many relays the balancer knows and that do not run yet; with those that run at most four. */
  readonly spares?: number
  /** Two unless told. */
  readonly relays?: number
}

/** A whole region on this machine: NATS, two stores with a database each, relays, and HAProxy, which people connect to. */
export class RegionProcesses {
  readonly nats: NatsServer
  readonly stores: readonly RelayProcess[]
  readonly relays: readonly RelayProcess[]
  readonly spares: readonly RelayProcess[]
  readonly balancer: Balancer

  private constructor(
    nats: NatsServer,
    stores: readonly RelayProcess[],
    relays: readonly RelayProcess[],
    spares: readonly RelayProcess[],
    balancer: Balancer,
  ) {
    this.nats = nats
    this.stores = stores
    this.relays = relays
    this.spares = spares
    this.balancer = balancer
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
      const relays = await Promise.all(Array.from({ length: options.relays ?? 2 }, () => part('relay')))
      const spares = await Promise.all(Array.from({ length: options.spares ?? 0 }, () => part('relay', true)))
      const balancer = await Balancer.start({
        port: options.port ?? (await freePort()),
        relays: [...relays, ...spares].map(({ port }) => port),
        spares: spares.length,
      })
      return new RegionProcesses(nats, stores, relays, spares, balancer)
    } catch (error) {
      await Promise.all(parts.map((process) => process.remove()))
      await nats.stop()
      throw error
    }
  }

  /** Where people connect. */
  get url(): string {
    return `http://localhost:${this.balancer.port}/`
  }

  async stop(): Promise<void> {
    await this.balancer.stop()
    const parts = [...this.relays, ...this.spares, ...this.stores]
    await Promise.all(parts.map((process) => process.remove())).finally(() => this.nats.stop())
  }
}
