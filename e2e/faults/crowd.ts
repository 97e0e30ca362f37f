import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { PlainSocket } from '../../client/link/plain-socket.ts'
import { RelayLink } from '../../client/link/relay-link.ts'
import { random } from '../../relay/testing.ts'
import { addRecord, recordsOf } from '../../shared/document.ts'
import { createSessionKeys, keysFor, type SessionKeys } from '../../shared/keys.ts'
import { recordIdOf } from '../../shared/record.ts'
import { until } from './trial.ts'

/** When something was tried, and when a WebSocket opened; of all guests together. */
export interface Doorbell {
  attempts: number[]
  opened: number[]
}

/** The client's link, provider and document, without rules and screen: many fit into one process. */
export class Guest {
  readonly doc = new Y.Doc()
  readonly keys: SessionKeys
  readonly link: RelayLink
  readonly provider: WebsocketProvider
  /** Ids of records this guest was told are saved. */
  readonly saved: string[] = []
  /** How long each time without a connection lasted, in milliseconds. */
  readonly outages: number[] = []
  #made: string[] = []
  #offlineSince: number | undefined

  /** `localAddress` is where it comes from; a balancer allows each address only so much. */
  constructor(url: string, keys: SessionKeys, doorbell: Doorbell, localAddress?: string) {
    this.keys = keys
    const from = localAddress ? { localAddress } : {}
    this.link = new RelayLink({
      keys,
      doc: this.doc,
      origin: url,
      place: undefined,
      connect: (address, protocol) => {
        doorbell.attempts.push(performance.now())
        const socket = new WebSocket(address, protocol, { origin: url, perMessageDeflate: false, ...from })
        socket.on('open', () => doorbell.opened.push(performance.now()))
        return socket as unknown as PlainSocket
      },
      remember: () => {},
      changed: () => {
        this.#noteOutage()
        if (this.link.waiting === 0) this.saved.push(...this.#made.splice(0))
      },
    })
    this.provider = new WebsocketProvider(`${url.replace('http', 'ws')}/sync`, keys.session, this.doc, {
      disableBc: true,
      WebSocketPolyfill: this.link.socketClass as unknown as typeof globalThis.WebSocket,
    })
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== this.provider) this.link.noteChange(update)
    })
  }

  change(): void {
    const record = random(150)
    this.#made.push(recordIdOf(record))
    addRecord(this.doc, record)
  }

  get inStep(): boolean {
    return this.link.connection !== undefined && this.provider.synced && this.link.waiting === 0
  }

  #noteOutage(): void {
    const { state } = this.link.state
    if (state === 'offline') this.#offlineSince ??= performance.now()
    else if (this.#offlineSince !== undefined && state !== 'connecting') {
      this.outages.push(performance.now() - this.#offlineSince)
      this.#offlineSince = undefined
    }
  }

  leave(): void {
    this.provider.destroy()
    this.doc.destroy()
  }
}

/** Teams of six at one relay. */
export class Crowd {
  readonly guests: Guest[] = []
  readonly doorbell: Doorbell = { attempts: [], opened: [] }
  readonly #url: string
  #playing: NodeJS.Timeout | undefined

  private constructor(url: string) {
    this.#url = url
  }

  /** From so many addresses of this machine, which has them for 127.0.0.1 on Linux only; from any unless told. */
  static async gather(url: string, size: number, addresses = 0): Promise<Crowd> {
    process.setMaxListeners(0) // each provider has one for the end of the process
    const crowd = new Crowd(url)
    let keys = createSessionKeys()
    for (let number = 0; number < size; number++) {
      if (number % 6 === 0) keys = createSessionKeys()
      const from = addresses > 0 ? `127.0.0.${2 + (number % addresses)}` : undefined
      crowd.guests.push(new Guest(url, keysFor('member', keys), crowd.doorbell, from))
      if (number % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await until(() => crowd.guests.every(({ inStep }) => inStep), 'everybody is in', 120_000)
    return crowd
  }

  /** One after the other changes something, connected or not. */
  play(perSecond: number): void {
    let turn = 0
    this.#playing = setInterval(() => {
      for (let times = 0; times < perSecond / 50; times++, turn += 7) {
        this.guests[turn % this.guests.length]?.change()
      }
    }, 20)
  }

  rest(): void {
    clearInterval(this.#playing)
  }

  get saved(): number {
    return this.guests.reduce((sum, guest) => sum + guest.saved.length, 0)
  }

  /**
   * Resolves with after how many milliseconds each of them was in step again: by the clock, and as a device of its own
   * would have been, for which a pause in which this process, busy with all of them, was not given the processor counts as 25 ms.
   */
  async returned(patience: number): Promise<{ byClock: number[]; alone: number[] }> {
    const away = new Set(this.guests)
    const byClock: number[] = []
    const alone: number[] = []
    const began = performance.now()
    let [elapsed, looked] = [0, began]
    while (away.size > 0) {
      for (const guest of away) {
        if (!guest.link.connection || !guest.provider.synced) continue
        away.delete(guest)
        byClock.push(performance.now() - began)
        alone.push(elapsed)
      }
      if (elapsed > patience) throw new Error(`${away.size} of ${this.guests.length} did not come back`)
      await new Promise((resolve) => setTimeout(resolve, 5))
      elapsed += Math.min(25, performance.now() - looked)
      looked = performance.now()
    }
    return { byClock, alone }
  }

  /** Records that somebody was told are saved, and that a newcomer does not get. */
  async lost(): Promise<string[]> {
    const bySession = new Map<string, Guest[]>()
    for (const guest of this.guests) {
      bySession.set(guest.keys.session, [...(bySession.get(guest.keys.session) ?? []), guest])
    }
    const lost: string[] = []
    for (const team of bySession.values()) {
      const [first] = team
      if (!first) continue
      const newcomer = new Guest(this.#url, keysFor('observer', first.keys), { attempts: [], opened: [] })
      await until(() => newcomer.provider.synced, 'a newcomer has read the log')
      const records = recordsOf(newcomer.doc)
      lost.push(...team.flatMap(({ saved }) => saved).filter((id) => !records.has(id)))
      newcomer.leave()
    }
    return lost
  }

  leave(): void {
    this.rest()
    for (const guest of this.guests) guest.leave()
  }
}

/** How many of the moments fall into each tenth of a second since the first. */
export function perTenth(moments: readonly number[]): number[] {
  const tenths: number[] = []
  const first = Math.min(...moments)
  for (const moment of moments) {
    const tenth = Math.floor((moment - first) / 100)
    tenths[tenth] = (tenths[tenth] ?? 0) + 1
  }
  return Array.from(tenths, (count) => count ?? 0)
}
