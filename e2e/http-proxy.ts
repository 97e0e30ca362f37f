import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** The proxy of a network that lets no WebSocket through: it refuses them, or lets them wait for ever. */
export class HttpProxy {
  /** WebSockets that were asked for. */
  sockets = 0
  /** POSTs that passed. */
  posts = 0
  readonly #server: Server
  readonly #target: number
  readonly #open = new Set<Duplex>()
  readonly #refusal: 'refused' | 'ignored'

  private constructor(target: number, refusal: 'refused' | 'ignored') {
    this.#target = target
    this.#refusal = refusal
    this.#server = createServer((asked, answered) => this.#pass(asked, answered))
    this.#server.on('upgrade', (_, socket) => this.#refuse(socket))
    this.#server.on('connection', (socket) => {
      this.#open.add(socket)
      socket.on('close', () => this.#open.delete(socket))
    })
  }

  static async start(target: number, refusal: 'refused' | 'ignored' = 'refused'): Promise<HttpProxy> {
    const proxy = new HttpProxy(target, refusal)
    proxy.#server.listen(0, 'localhost')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The proxy is not listening')
    return address.port
  }

  get url(): string {
    return `http://localhost:${this.port}/`
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  #refuse(socket: Duplex): void {
    this.sockets++
    socket.on('error', () => socket.destroy())
    if (this.#refusal === 'refused')
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
  }

  #pass(asked: IncomingMessage, answered: ServerResponse): void {
    if (asked.method === 'POST') this.posts++
    const { url = '/', method, headers } = asked
    const passed = request(
      { host: 'localhost', port: this.#target, path: url, method, headers, agent: false },
      (answer) => {
        answered.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(answered)
        answer.on('error', () => answered.destroy())
      },
    )
    passed.on('error', () => (answered.headersSent ? answered.destroy() : answered.writeHead(502).end()))
    answered.on('close', () => passed.destroy())
    asked.pipe(passed)
  }
}
