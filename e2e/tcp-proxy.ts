import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { calm, TcpPipe, type Weather } from './tcp-pipe.ts'

/**
 * Stands between clients and the relay: it can be cut, made slow, lossy or deaf, and counts what passed. Playwright's
 * `setOffline` leaves open WebSockets alone.
 */
export class TcpProxy {
  /** Bytes that passed, in either direction. */
  passed = 0
  /** How many writes that took. */
  pieces = 0
  /** Connections that were asked for, also while cut. */
  attempts = 0
  /** Connections that were ended by `cut` or `reset`. */
  broken = 0
  /** How lines behave from now on, those that are open too. */
  readonly weather: Weather = { ...calm }
  readonly #server: Server
  readonly #target: number
  readonly #sockets = new Set<Socket>()
  #isCut = false
  #isDeaf = false

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#join(client))
  }

  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target)
    proxy.#server.listen(0, 'localhost')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The proxy is not listening')
    return `http://localhost:${address.port}/`
  }

  /** Connections that are open at the moment. */
  get open(): number {
    return this.#sockets.size / 2
  }

  /** Ends every connection and refuses new ones. */
  cut(): void {
    this.#isCut = true
    this.#break((socket) => socket.destroy())
  }

  mend(): void {
    this.#isCut = false
  }

  /** Breaks every connection as a router does that was switched off and on: RST to both ends. New ones are welcome. */
  reset(): void {
    this.#break((socket) => socket.resetAndDestroy())
  }

  /** Returns the end of it. */
  resetEvery(milliseconds: number): () => void {
    const timer = setInterval(() => this.reset(), milliseconds)
    return () => clearInterval(timer)
  }

  /** Takes new connections and never answers on them; returns the way to hear again. */
  deafen(): () => void {
    this.#isDeaf = true
    return () => {
      this.#isDeaf = false
    }
  }

  async stop(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #break(end: (socket: Socket) => void): void {
    this.broken += this.#sockets.size / 2
    for (const socket of this.#sockets) end(socket)
  }

  #join(client: Socket): void {
    this.attempts++
    client.on('error', () => {})
    if (this.#isCut) {
      client.destroy()
      return
    }
    if (this.#isDeaf) return this.#keep(client)
    const relay = connect({ port: this.#target, host: 'localhost', allowHalfOpen: true, noDelay: true })
    const { weather } = this
    const passed = (bytes: number) => {
      this.passed += bytes
      this.pieces++
    }
    this.#keep(client)
    this.#keep(relay)
    new TcpPipe({ from: client, to: relay, direction: 'toRelay', weather, passed })
    new TcpPipe({ from: relay, to: client, direction: 'toClient', weather, passed })
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
