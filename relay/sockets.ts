import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { WebSocketServer } from 'ws'
import { encodeFromRelay, frameLimits } from '../shared/wire.ts'
import { closeCodes } from './close-words.ts'
import type { Connection, Surroundings } from './connection.ts'
import { type Address, Addresses, slowBytes, spend } from './limits.ts'
import { Socket } from './socket.ts'
import { addressOf, chooseVersion, readUpgrade } from './upgrade.ts'

/** Who is handed over leaves after the one before, so that no other relay gets all of them at once. */
const handOver = { everyMs: 20, eachMs: 20, mostMs: 10_000 } as const

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
  handleProtocols: (offered: Set<string>) => chooseVersion(offered) ?? false,
}

export interface SocketOptions {
  readonly origins: readonly string[] | undefined
  readonly trustProxy: boolean
}

/** One client's way to the relay, of either kind. */
export interface Member {
  readonly connection: Connection | undefined
  readonly address: Address | undefined
  /** What is kept for the client until it reads. */
  readonly waitingBytes: number
  /** Ticks of the registry's timer. */
  openedAt: number
  slot: number
  /** Called every 20 seconds. */
  checkAlive(): void
  close(code: number, words: string): void
  terminate(): void
}

/** Where whoever is connected is counted. */
export interface Registry {
  add(member: Member): void
  remove(member: Member): void
  /** More waits for this client than for one that reads. */
  noteSlow(member: Member): void
}

/** All that are connected to a relay: its WebSockets, and what `Polls` adds. */
export class Sockets implements Registry {
  readonly #server = new WebSocketServer(serverOptions)
  readonly #surroundings: Surroundings
  readonly #options: SocketOptions
  readonly #slots = Array.from({ length: slotCount }, () => new Set<Member>())
  /** In the order they opened. */
  readonly #greeting = new Set<Member>()
  /** Clients that read more slowly than they are sent to. */
  readonly #slow = new Set<Member>()
  readonly #addresses = new Addresses()
  readonly #timer: NodeJS.Timeout
  #open = 0
  #ticks = 0
  #isHandingOver = false
  #isDraining = false

  constructor(surroundings: Surroundings, options: SocketOptions) {
    this.#surroundings = surroundings
    this.#options = options
    this.#timer = setInterval(() => this.#turn(), tickMs)
  }

  get open(): number {
    return this.#open
  }

  /** Who reads more slowly than they are sent to, as far as was noticed. */
  get slow(): number {
    return this.#slow.size
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  listenTo(server: Server): void {
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  /** Other relays stand in for this one, and no balancer is to send anybody here. */
  get isHandingOver(): boolean {
    return this.#isHandingOver
  }

  /** Sends everybody to the other relays, who are there at once: nobody has to wait for this one to come back. */
  async handOver(): Promise<void> {
    this.#isHandingOver = true
    await wait(this.#open > 0 ? this.#surroundings.limits.handOverMs : 0)
    this.#isDraining = true
    const members = [...this.#all()]
    const turns = Math.ceil(Math.min(handOver.mostMs, members.length * handOver.eachMs) / handOver.everyMs)
    for (let turn = 0; members.length > 0; turn++) {
      for (const member of members.splice(0, Math.ceil(members.length / Math.max(1, turns - turn)))) {
        member.connection?.goAway(0)
        member.close(1012, 'Another relay takes over.')
      }
      await wait(handOver.everyMs)
    }
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

  /** Whom a new connection counts for; an HTTP status when none may be opened now. */
  admit(request: IncomingMessage): Address | 429 | 503 {
    const { limits } = this.#surroundings
    if (this.#isDraining) return 503
    const address = this.#addresses.get(addressOf(request, this.#options.trustProxy))
    const earnedAt = spend(address.earnedAt, limits.connectionsOfAddress, this.#surroundings.now())
    if (!earnedAt || address.open >= limits.openOfAddress) {
      this.#surroundings.refused('address')
      return 429
    }
    address.earnedAt = earnedAt
    return address
  }

  /** Why a connection that could be opened is refused nevertheless: the frame that says so. */
  refusal(isOriginServed: boolean, isVersionSpoken = true): Refusal | undefined {
    const isFull = this.#open >= this.#surroundings.limits.open
    if (isOriginServed && isVersionSpoken && !isFull) return undefined
    const reason = !isOriginServed ? 'origin' : isVersionSpoken ? 'full' : 'version'
    const { code, words } = closeCodes[reason]
    this.#surroundings.refused(reason)
    return { code, words, frame: encodeFromRelay({ type: 'refuse', code, words }) }
  }

  add(member: Member): void {
    member.openedAt = this.#ticks
    member.slot = Math.floor(Math.random() * slotCount)
    this.#slots[member.slot]?.add(member)
    this.#greeting.add(member)
    if (member.address) member.address.open += 1
    this.#open += 1
  }

  noteSlow(member: Member): void {
    this.#slow.add(member)
  }

  remove(member: Member): void {
    this.#slow.delete(member)
    this.#slots[member.slot]?.delete(member)
    this.#greeting.delete(member)
    if (member.address) member.address.open -= 1
    this.#open -= 1
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const address = this.admit(request)
    if (address === 503) return refuseUpgrade(socket, '503 Service Unavailable')
    if (address === 429) return refuseUpgrade(socket, '429 Too Many Requests')
    const upgrade = readUpgrade(request, this.#options.origins)
    if (upgrade === 404) return refuseUpgrade(socket, '404 Not Found')
    if (upgrade === 400) return refuseUpgrade(socket, '400 Bad Request')
    const { session, origin, isOriginServed, isVersionSpoken, trace } = upgrade
    socket.cork() // the answer and the challenge leave in one piece
    this.#server.handleUpgrade(request, socket, head, (opened) => {
      const refusal = this.refusal(isOriginServed, isVersionSpoken)
      if (refusal) return refuseSocket(opened, refusal)
      opened.registry = this
      opened.address = address
      this.add(opened)
      opened.begin(session, origin, this.#surroundings, trace)
    })
    socket.uncork()
  }

  *#all(): Iterable<Member> {
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
    if (this.#slow.size > 0) this.#relieve()
    if (turn === 0) this.#addresses.sweep(this.#surroundings.now())
  }

  /** Each may be a little slow; all together they must not fill the memory. Who is behind most goes first. */
  #relieve(): void {
    const waiting = [...this.#slow].map((member) => ({ member, bytes: member.waitingBytes }))
    let sum = 0
    for (const { member, bytes } of waiting) {
      sum += bytes
      if (bytes <= slowBytes) this.#slow.delete(member)
    }
    const { bufferedInAll } = this.#surroundings.limits
    if (sum <= bufferedInAll) return
    waiting.sort((one, other) => other.bytes - one.bytes)
    for (const { member, bytes } of waiting) {
      if (sum <= bufferedInAll) return
      sum -= bytes
      this.#surroundings.refused('tooSlow')
      member.terminate()
    }
  }
}

interface Refusal {
  readonly code: number
  readonly words: string
  readonly frame: Uint8Array
}

/** A browser shows a page only how a WebSocket was closed, never why it was not opened. */
function refuseSocket(socket: Socket, { code, words, frame }: Refusal): void {
  socket.send(frame)
  socket.close(code, words)
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
