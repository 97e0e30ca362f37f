import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { LogPlace } from '../../client/link/log-reader.ts'
import type { PlainSocket } from '../../client/link/plain-socket.ts'
import { RelayLink } from '../../client/link/relay-link.ts'
import type { SessionKeys } from '../../shared/keys.ts'

/** A device without a screen: a real document, provider and link, whose network can be pulled. */
export class Device {
  readonly doc = new Y.Doc()
  readonly link: RelayLink
  readonly provider: WebsocketProvider
  /** Every socket this device ever had. */
  readonly #sockets: WebSocket[] = []
  place: LogPlace | undefined
  /** Ids of the records made on this device. */
  readonly ownRecords: string[] = []

  constructor(relay: string, keys: SessionKeys, place?: LogPlace, Socket = WebSocket) {
    const origin = new URL(relay).origin
    this.link = new RelayLink({
      keys,
      doc: this.doc,
      origin,
      place,
      connect: (url, protocol) => {
        const socket = new Socket(url, protocol, { origin, perMessageDeflate: false })
        this.#sockets.push(socket)
        return socket as unknown as PlainSocket
      },
      remember: (reached) => {
        this.place = reached
      },
      changed: () => {},
    })
    this.provider = new WebsocketProvider(
      `${relay.replace(/^http/, 'ws').replace(/\/$/, '')}/sync`,
      keys.session,
      this.doc,
      {
        disableBc: true,
        connect: false,
        WebSocketPolyfill: this.link.socketClass as unknown as typeof globalThis.WebSocket,
      },
    )
    process.off('exit', this.provider._exitHandler) // a device ends by itself, and many are in one process
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== this.provider) this.link.noteChange(update)
    })
  }

  connect(): void {
    this.provider.connect()
  }

  disconnect(): void {
    this.provider.disconnect()
  }

  /** As when a cable is pulled: no close frame, whatever is on the way is lost. */
  pull(): void {
    for (const socket of this.#sockets) socket.terminate()
  }

  /** The own records that the link says are at the relay: all or, while any change waits, none that we could name. */
  get savedRecords(): readonly string[] {
    return this.link.waiting === 0 ? [...this.ownRecords] : []
  }

  get caughtUp(): boolean {
    return this.provider.synced && this.link.waiting === 0
  }

  /** The whole content in a form that can be compared. */
  get content(): string {
    return (
      JSON.stringify(this.doc.getMap('stories').toJSON(), sortedKeys) +
      JSON.stringify(this.doc.getMap('records').toJSON(), sortedKeys)
    )
  }

  stop(): void {
    this.provider.destroy()
    this.doc.destroy()
  }
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value].join()
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Resolves when the condition holds; rejects with what is missing. */
export async function until(holds: () => boolean, missing: () => string, patience = 30_000): Promise<void> {
  const end = Date.now() + patience
  while (!holds()) {
    if (Date.now() > end) throw new Error(missing())
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
