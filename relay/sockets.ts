import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { WebSocketServer } from 'ws'
import { type CloseReason, closeCodes } from '../shared/close-code.ts'
import { encodeFromRelay, frameLimits, subprotocol } from '../shared/wire.ts'
import type { Surroundings } from './connection.ts'
import { type Address, Addresses, spend } from './limits.ts'
import { Socket } from './socket.ts'
import { addressOf, readUpgrade } from './upgrade.ts'

/** One timer for all sockets: each slot's turn comes every 20 seconds. */
const tickMs = 100
const slotCount = 200

const serverOptions = {
  noServer: true,
  WebSocket: Socket,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: frameLimits.snapshot,
  maxFragments: 256,
  maxBufferedChunks: 4096,
  closeTimeout: 3000,
  handleProtocols: () => subprotocol,
}

export interface SocketOptions {
  readonly origins: readonly string[] | undefined
  readonly trustProxy: boolean
}

/** All WebSockets of a relay. */
export class Sockets {
  readonly #server = new WebSocketServer(serverOptions)
  readonly #surroundings: Surroundings
  readonly #options: SocketOptions
  readonly #slots = Array.from({ length: slotCount }, () => new Set<Socket>())
  /** In the order they opened. */
  readonly #greeting = new Set<Socket>()
  readonly #addresses = new Addresses()
  readonly #timer: NodeJS.Timeout
  #open = 0
  #ticks = 0
  #isDraining = false

  constructor(surroundings: Surroundings, options: SocketOptions) {
    this.#surroundings = surroundings
    this.#options = options
    this.#timer = setInterval(() => this.#turn(), tickMs)
  }

  get open(): number {
    return this.#open
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  listenTo(server: Server): void {
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  /** Tells everybody to come back, spread over a while that grows with their number. */
  goAway(): void {
    this.#isDraining = true
    const spread = Math.min(2500, 200 + this.#open)
    for (const { connection } of this.#all()) connection?.goAway(Math.floor(Math.random() * spread))
  }

  /** Ends what is open, within a second even for those who do not answer. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    for (const socket of this.#all()) socket.close(1012, 'The relay restarts.')
    for (let waited = 0; this.#open > 0 && waited < 1000; waited += 10) await wait(10)
    for (const socket of this.#all()) socket.terminate()
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { limits } = this.#surroundings
    if (this.#isDraining) return refuseUpgrade(socket, '503 Service Unavailable')
    const address = this.#addresses.get(addressOf(request, this.#options.trustProxy))
    const earnedAt = spend(address.earnedAt, limits.connectionsOfAddress, this.#surroundings.now())
    if (!earnedAt || address.open >= limits.openOfAddress)
      return refuseUpgrade(socket, '429 Too Many Requests')
    address.earnedAt = earnedAt
    const upgrade = readUpgrade(request, this.#options.origins)
    if (upgrade === 404) return refuseUpgrade(socket, '404 Not Found')
    if (upgrade === 400) return refuseUpgrade(socket, '400 Bad Request')
    const { session, origin, isOriginServed } = upgrade
    this.#server.handleUpgrade(request, socket, head, (opened) => {
      if (!isOriginServed) return this.#refuse(opened, 'origin')
      if (this.#open >= limits.open) return this.#refuse(opened, 'full')
      this.#add(opened, address)
      opened.begin(session, origin, this.#surroundings)
    })
  }

  /** A browser shows a page only how a WebSocket was closed, never why it was not opened. */
  #refuse(socket: Socket, reason: CloseReason): void {
    const { code, words } = closeCodes[reason]
    this.#surroundings.refused(reason)
    socket.send(encodeFromRelay({ type: 'refuse', code, words }))
    socket.close(code, words)
  }

  #add(socket: Socket, address: Address): void {
    socket.registry = this
    socket.address = address
    socket.openedAt = this.#ticks
    socket.slot = Math.floor(Math.random() * slotCount)
    this.#slots[socket.slot]?.add(socket)
    this.#greeting.add(socket)
    address.open += 1
    this.#open += 1
  }

  remove(socket: Socket): void {
    this.#slots[socket.slot]?.delete(socket)
    this.#greeting.delete(socket)
    if (socket.address) socket.address.open -= 1
    this.#open -= 1
  }

  *#all(): Iterable<Socket> {
    for (const slot of this.#slots) yield* slot
  }

  #turn(): void {
    this.#ticks += 1
    const turn = this.#ticks % slotCount
    for (const socket of this.#slots[turn] ?? []) {
      socket.checkAlive()
      socket.connection?.keepAlive()
    }
    for (const socket of this.#greeting) {
      if (socket.connection?.phase !== 'greeting') this.#greeting.delete(socket)
      else if ((this.#ticks - socket.openedAt) * tickMs < this.#surroundings.limits.helloMs) break
      else socket.connection.close('lateHello')
    }
    if (turn === 0) this.#addresses.sweep(this.#surroundings.now())
  }
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
