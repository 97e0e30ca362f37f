import { freePort } from '../../relay/free-port.testing.ts'
import { TcpProxy } from '../tcp-proxy.ts'
import { RegionProcesses } from './region.ts'

const names = ['east', 'west'] as const
export type RegionName = (typeof names)[number]

/** Two regions on this machine, whose NATS servers are linked through a proxy that can be cut. */
export class Cluster {
  readonly regions: Readonly<Record<RegionName, RegionProcesses>>
  readonly link: TcpProxy

  private constructor(regions: Readonly<Record<RegionName, RegionProcesses>>, link: TcpProxy) {
    this.regions = regions
    this.link = link
  }

  /** `ports` are where people connect. */
  static async start(ports?: Readonly<Record<RegionName, number>>): Promise<Cluster> {
    const { east, west } = ports ?? { east: await freePort(), west: await freePort() }
    const leafPort = await freePort()
    const link = await TcpProxy.start(leafPort)
    const advertised = Number(new URL(link.url).port)
    const REGIONS = `east=http://localhost:${east}/,west=http://localhost:${west}/`
    const inEast = RegionProcesses.start('east', {
      port: east,
      nats: { domain: 'east', leafs: { port: leafPort, advertised } },
      settings: { REGIONS },
    })
    const inWest = RegionProcesses.start('west', {
      port: west,
      nats: { domain: 'west', linkedTo: advertised },
      settings: { REGIONS },
    })
    const started = await Promise.allSettled([inEast, inWest])
    const [first, second] = started
    if (first.status === 'fulfilled' && second.status === 'fulfilled')
      return new Cluster({ east: first.value, west: second.value }, link)
    await Promise.all(started.map((one) => (one.status === 'fulfilled' ? one.value.stop() : undefined)))
    await link.stop()
    throw first.status === 'rejected' ? first.reason : new Error('The west did not start')
  }

  async stop(): Promise<void> {
    await Promise.all(names.map((name) => this.regions[name].stop()))
    await this.link.stop()
  }
}
