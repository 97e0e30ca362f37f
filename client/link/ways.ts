import { here, read, remove, write } from '../device/device-storage.ts'
import type { PlainSocket } from './plain-socket.ts'
import type { SlowWay } from './slow-way.ts'

/** So often in a row a WebSocket has to fail before anything else is tried. */
const enough = 2
/** A WebSocket that has said nothing by then never will, in milliseconds. */
const patience = 8_000
const day = 86_400_000
/** What the device's storage calls it. */
const kept = 'websockets-blocked-until'

export interface WayParts {
  openSocket(url: string, protocol: string): WebSocket
  /** What to do where none opens; undefined: try again, by now at another region. */
  loadSlowWay(mayMove: boolean): Promise<typeof SlowWay | undefined>
}

const ofBrowser: WayParts = {
  openSocket: (url, protocol) => new WebSocket(url, protocol),
  loadSlowWay: async (mayMove) => (await import('./slow-way.ts')).otherWay(mayMove),
}

/** How this device reaches relays: by WebSocket or, where a network lets none open, by plain requests. */
export class Ways {
  readonly #parts: WayParts
  #failures = 0
  #slow: typeof SlowWay | undefined
  #opening: WebSocket | undefined

  constructor(parts = ofBrowser) {
    this.#parts = parts
    if (this.blockedUntil > Date.now()) this.blocked()
  }

  /** Until when this device takes WebSockets for blocked. For longer than a day only if its clock was wrong. */
  get blockedUntil(): number {
    const until = Number(read(here(kept)))
    return until > Date.now() + day ? 0 : until
  }

  readonly connect = (url: string, protocol: string): PlainSocket => {
    const isBlocked = this.#failures >= enough || this.blockedUntil > Date.now()
    if (!this.#slow || !isBlocked) {
      try {
        return this.#openSocket(inRegion(url), protocol) as PlainSocket
      } catch {
        remove(here('region')) // this page may not connect to it any more
        return this.#openSocket(url, protocol) as PlainSocket
      }
    }
    this.#failures = 0 // unless this opens, WebSockets have their turn again
    return new this.#slow(url, protocol, this)
  }

  /** WebSockets do not open, and requests may. */
  blocked(mayMove = false): void {
    this.#failures = enough
    this.#parts.loadSlowWay(mayMove).then(
      (slow) => {
        this.#slow = slow
        if (!slow) this.#failures = 0
        this.#opening?.close()
      },
      () => {}, // a part of the app that cannot be fetched: there is no network at all
    )
  }

  /** Whether a WebSocket opens now, while requests are answered. */
  async check(url: string, protocol: string): Promise<boolean> {
    const works = await new Promise<boolean>((resolve) => {
      const socket = this.#parts.openSocket(url, protocol)
      watch(socket, resolve)
      socket.addEventListener('message', () => socket.close())
    })
    if (works) {
      remove(here(kept))
      this.#failures = 0
    }
    return works
  }

  /** The next visits need not find out again. */
  remember(): void {
    write(here(kept), String(Date.now() + day))
  }

  #openSocket(url: string, protocol: string): WebSocket {
    const socket = this.#parts.openSocket(url, protocol)
    this.#opening = socket
    const forget = watch(socket, (works, wasSilent) => {
      this.#opening = undefined
      this.#failures = works ? 0 : wasSilent ? enough : this.#failures + 1
      if (this.#failures >= enough) this.blocked(true)
    })
    const { close } = socket
    // That it did not open says nothing about the network when nobody waits for it any more.
    socket.close = (code, reason) => {
      forget()
      close.call(socket, code, reason)
    }
    return socket
  }
}

/** The same address in the region that `regions.ts` chose, if it did. */
function inRegion(url: string): string {
  const region = read(here('region'))
  return region ? region.replace(/^http/, 'ws') + url.slice(url.lastIndexOf('sync/')) : url
}

/**
 * Tells once whether it works: the relay speaks first, so whoever hears nothing has no connection, whatever a proxy says.
 * Returns the way not to be told.
 */
function watch(socket: WebSocket, told: (works: boolean, wasSilent: boolean) => void): () => void {
  let isSilent = false
  const { close } = socket
  const timer = setTimeout(() => {
    isSilent = true
    close.call(socket)
  }, patience)
  const forget = () => {
    clearTimeout(timer)
    socket.removeEventListener('message', tell)
    socket.removeEventListener('close', tell)
  }
  const tell = ({ type }: Event) => {
    forget()
    told(type === 'message', isSilent)
  }
  socket.addEventListener('message', tell)
  socket.addEventListener('close', tell)
  return forget
}
