import type { IncomingMessage } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { encodeFromRelay } from '../../shared/wire.ts'
import { Burden } from './burden.ts'
import { closeCodes } from './close-words.ts'
import type { Connection, Surroundings } from './connection.ts'
import { type Address, Addresses, spend } from './limits.ts'
import { addressOf } from './upgrade.ts'

/** Who is handed over leaves after the one before, so that no other relay gets all of them at once. */
const handOver = { everyMs: 20, eachMs: 20, mostMs: 10_000 } as const

/** One timer for all: each slot's turn comes every 20 seconds. */
const tickMs = 100
const slotCount = 200
/** Ticks after which it is looked again what has come of each client: nobody sends much more than once within a second. */
const lookEvery = 10

/** One client's way to the relay, of either kind. */
export interface Connected {
  readonly connection: Connection | undefined
  readonly address: Address | undefined
  /** What is kept for the client until it reads. */
  readonly waitingBytes: number
  /** What has come of something that is not whole yet. */
  readonly arrivingBytes: number
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
  add(client: Connected): void
  remove(client: Connected): void
  /** More may wait for this client than for one that reads. */
  noteSlow(client: Connected): void
}

/** All that are connected to a relay, by `sockets.ts` or by `polls.ts`. */
export class Connections implements Registry {
  readonly #surroundings: Surroundings
  readonly #trustProxy: boolean
  readonly #slots = Array.from({ length: slotCount }, () => new Set<Connected>())
  /** In the order they opened. */
  readonly #greeting = new Set<Connected>()
  /** Clients that read more slowly than they are sent to. */
  readonly #slow = new Burden<Connected>(({ waitingBytes }) => waitingBytes)
  /** Clients that have sent much of something that is not whole. */
  readonly #sending = new Burden<Connected>(({ arrivingBytes }) => arrivingBytes)
  readonly #addresses = new Addresses()
  readonly #timer: NodeJS.Timeout
  #open = 0
  #ticks = 0
  #isHandingOver = false
  #isDraining = false

  constructor(surroundings: Surroundings, { trustProxy }: { readonly trustProxy: boolean }) {
    this.#surroundings = surroundings
    this.#trustProxy = trustProxy
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

  /** Other relays stand in for this one, and no balancer is to send anybody here. */
  get isHandingOver(): boolean {
    return this.#isHandingOver
  }

  /** Sends everybody to the other relays, who are there at once: nobody has to wait for this one to come back. */
  async handOver(): Promise<void> {
    this.#isHandingOver = true
    await wait(this.#open > 0 ? this.#surroundings.limits.handOverMs : 0)
    this.#isDraining = true
    const clients = [...this.#all()]
    const turns = Math.ceil(Math.min(handOver.mostMs, clients.length * handOver.eachMs) / handOver.everyMs)
    for (let turn = 0; clients.length > 0; turn++) {
      for (const client of clients.splice(0, Math.ceil(clients.length / Math.max(1, turns - turn)))) {
        client.connection?.goAway(0)
        client.close(1012, 'Another relay takes over.')
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
    for (const client of this.#all()) client.close(1012, 'The relay restarts.')
    for (let waited = 0; this.#open > 0 && waited < 1000; waited += 10) await wait(10)
    for (const client of this.#all()) client.terminate()
  }

  /** Whom a new connection counts for; an HTTP status when none may be opened now. */
  admit(request: IncomingMessage): Address | 429 | 503 {
    const { limits } = this.#surroundings
    if (this.#isDraining) return 503
    const address = this.#addresses.get(addressOf(request, this.#trustProxy))
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

  add(client: Connected): void {
    client.openedAt = this.#ticks
    client.slot = Math.floor(Math.random() * slotCount)
    this.#slots[client.slot]?.add(client)
    this.#greeting.add(client)
    if (client.address) client.address.open += 1
    this.#open += 1
  }

  noteSlow(client: Connected): void {
    this.#slow.weigh(client)
  }

  remove(client: Connected): void {
    this.#slow.delete(client)
    this.#sending.delete(client)
    this.#slots[client.slot]?.delete(client)
    this.#greeting.delete(client)
    if (client.address) client.address.open -= 1
    this.#open -= 1
  }

  *#all(): Iterable<Connected> {
    for (const slot of this.#slots) yield* slot
  }

  #turn(): void {
    this.#ticks += 1
    const turn = this.#ticks % slotCount
    for (const client of this.#slots[turn] ?? []) {
      client.checkAlive()
      client.connection?.keepAlive()
    }
    for (const client of this.#greeting) {
      if (client.connection?.phase !== 'greeting') this.#greeting.delete(client)
      else if ((this.#ticks - client.openedAt) * tickMs < this.#surroundings.limits.helloMs) break
      else client.connection.close('lateHello')
    }
    for (let slot = this.#ticks % lookEvery; slot < slotCount; slot += lookEvery) {
      for (const client of this.#slots[slot] ?? []) this.#sending.weigh(client)
    }
    this.#relieve(this.#slow)
    this.#relieve(this.#sending)
    if (turn === 0) this.#addresses.sweep(this.#surroundings.now())
  }

  #relieve(burden: Burden<Connected>): void {
    for (const client of burden.above(this.#surroundings.limits.bufferedInAll)) {
      this.#surroundings.refused('tooSlow')
      client.terminate()
    }
  }
}

export interface Refusal {
  readonly code: number
  readonly words: string
  readonly frame: Uint8Array
}
