import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { untilReady } from '../relay.ts'

export interface BalancerOptions {
  readonly port: number
  /** Of the relays it brings people to. */
  readonly relays: readonly number[]
  /** So many of them do not run yet. */
  readonly spares: number
}

/** HAProxy as we configure it, a process of its own. */
export class Balancer {
  readonly port: number
  readonly #options: BalancerOptions
  #process: ChildProcess | undefined
  #said = ''

  private constructor(options: BalancerOptions) {
    this.port = options.port
    this.#options = options
  }

  static async start(options: BalancerOptions): Promise<Balancer> {
    const balancer = new Balancer(options)
    await balancer.resume()
    return balancer
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Relays that it takes for dead. */
  get missed(): number {
    const times = (what: RegExp) => this.#said.match(what)?.length ?? 0
    return times(/ is DOWN/g) - times(/ is UP/g)
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  /** Ends the process, and with it every connection that goes through it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }

  /** Starts it on the same port. */
  async resume(): Promise<void> {
    const { port, relays, spares } = this.#options
    const addresses = relays.map((relay, at) => [`RELAY_${at + 1}`, `127.0.0.1:${relay}`])
    const child = spawn('haproxy', ['-db', '-f', 'relay/deploy/haproxy.cfg'], {
      env: { ...process.env, ...Object.fromEntries(addresses), LISTEN: `127.0.0.1:${port},[::1]:${port}` },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#process = child
    this.#said = ''
    child.stderr.on('data', (text) => {
      this.#said += text
    })
    const failed = new Promise<never>((_, reject) => {
      child.once('error', () => reject(new Error('haproxy is missing. Get it with: apt-get install haproxy')))
      child.once('exit', () => reject(new Error(`haproxy did not start: ${this.#said}`)))
    })
    failed.catch(() => {})
    await Promise.race([failed, untilReady(`http://localhost:${port}/`, 'healthz')])
    // It takes servers for up until it has asked them.
    while (this.missed < spares) await Promise.race([failed, wait(50)])
  }
}
