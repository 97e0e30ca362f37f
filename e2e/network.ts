import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RegionProcesses } from './cluster/region.ts'
import { HttpProxy } from './http-proxy.ts'
import { RelayProcess } from './relay.ts'
import { TcpProxy } from './tcp-proxy.ts'

/** `FACEDOWN_NETWORK=rough`: every line is slow and keeps breaking. */
export const isRough = process.env.FACEDOWN_NETWORK === 'rough'

/** The relays of one test and the lines to them: nobody's browser has any business anywhere else. */
export class Network {
  readonly #folders: string[] = []
  readonly #relays: { readonly relay: RelayProcess; readonly remove: () => Promise<void> }[] = []
  readonly #lines: TcpProxy[] = []
  readonly #blocked = new Map<RelayProcess, HttpProxy>()
  readonly #origins = new Set<string>()
  readonly #withoutSockets: boolean
  readonly #rough: boolean

  constructor(withoutSockets = false, rough = isRough) {
    this.#withoutSockets = withoutSockets
    this.#rough = rough
  }

  async startRelay(): Promise<RelayProcess> {
    const relay = await RelayProcess.start()
    await this.add(relay, () => relay.remove())
    return relay
  }

  /** Takes over a relay that was started elsewhere. */
  async add(relay: RelayProcess, remove: () => Promise<void>): Promise<void> {
    this.#relays.push({ relay, remove })
    if (this.#withoutSockets) await this.blockSockets(relay)
    else await this.#roughen(relay)
    this.allow(relay.url)
  }

  /** Takes over a region, which removes its processes itself. What its NATS keeps is searched, too. */
  async addRegion({ url, nats, relays, stores }: RegionProcesses): Promise<void> {
    this.allow(url)
    this.#folders.push(nats.folder)
    for (const process of [...relays, ...stores]) await this.add(process, async () => {})
  }

  async layCable(relay: RelayProcess): Promise<TcpProxy> {
    const cable = await TcpProxy.start(this.#blocked.get(relay)?.port ?? relay.port)
    this.#lines.push(cable)
    this.allow(cable.url)
    if (this.#rough) {
      Object.assign(cable.weather, { latency: 300, jitter: 100 })
      cable.resetEvery(5_000)
    }
    return cable
  }

  /** From here on people reach this relay through a network that lets no WebSocket pass. */
  async blockSockets(relay: RelayProcess, how: 'refused' | 'ignored' = 'refused'): Promise<HttpProxy> {
    const proxy = await HttpProxy.start(relay.port, how)
    this.#blocked.set(relay, proxy)
    relay.front = proxy.url
    this.allow(proxy.url)
    await this.#roughen(relay)
    return proxy
  }

  async #roughen(relay: RelayProcess): Promise<void> {
    if (this.#rough) relay.front = (await this.layCable(relay)).url
  }

  /** Another address of a relay. */
  allow(url: string): void {
    this.#origins.add(new URL(url).origin)
  }

  has(origin: string): boolean {
    return this.#origins.has(origin)
  }

  /** Whether browsers had reason to complain about connections. */
  get broke(): boolean {
    const isBlocked = this.#blocked.size > 0
    return (
      isBlocked ||
      this.#relays.some(({ relay }) => relay.stops > 0) ||
      this.#lines.some(({ broken }) => broken > 0)
    )
  }

  /** Where any of these stands in what the relays said and what they and others keep. */
  whereabouts(secrets: readonly Buffer[]): string[] {
    const said = this.#relays.map(({ relay }) => ({ place: 'the output', bytes: Buffer.from(relay.output) }))
    const kept = [...this.#relays.map(({ relay }) => relay.dataDir), ...this.#folders].flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((file) => file.isFile())
        .map(({ name, parentPath }) => ({ place: name, bytes: readFileSync(join(parentPath, name)) })),
    )
    return [...said, ...kept]
      .filter(({ bytes }) => secrets.some((secret) => bytes.includes(secret)))
      .map(({ place }) => place)
  }

  async remove(): Promise<void> {
    for (const line of [...this.#lines, ...this.#blocked.values()]) await line.stop()
    await Promise.all(this.#relays.map(({ remove }) => remove()))
  }
}
