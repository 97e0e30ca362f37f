import type { CloseReason } from '../../shared/close-code.ts'
import type { Asker, Deposit } from '../../shared/escrow.ts'
import type { SealId } from '../../shared/id.ts'
import { Backoff } from './backoff.ts'
import { Early } from './early.ts'
import type { Held } from './held.ts'
import type { LinkOptions } from './link-options.ts'
import { LinkSocket } from './link-socket.ts'
import type { LogPlace } from './log-reader.ts'
import type { Presence } from './presence.ts'

export type RelayState =
  | { readonly state: 'connecting' }
  | { readonly state: 'connected' }
  /** Connected, but the relay's store keeps nothing at the moment. */
  | { readonly state: 'unkept' }
  | { readonly state: 'offline'; readonly since: number }
  /** The relay said why coming back is pointless. */
  | { readonly state: 'refused'; readonly reason: CloseReason | 'unknown'; readonly words: string }

/**
 * The encrypted link of one session to its relays. It outlives sockets: it knows how far the log was read, what is saved,
 * and when to try again. `socketClass` is what y-websocket's provider takes for a WebSocket.
 */
export class RelayLink {
  readonly options: LinkOptions
  readonly backoff = new Backoff()
  readonly early: Early
  /** 1 after the newest snapshot could not be read: the relay is asked for the one before. */
  generation = 0
  /** Envelopes of the log that could not be read, which says that somebody sends rubbish. */
  skipped = 0
  /** All that is saved is saved in two regions. */
  savedTwice = false
  /** How many changes other tabs have made that were not seen in the log, and are sent from there; at least 1 while the log lacks what it should have. */
  elsewhere = 0
  /** What was said to be saved may have been lost: that it is on its way there again is not enough. */
  inDoubt = false
  /** What comes to the document now is from the relay. */
  delivers = false
  /** Of the last presence that the provider was given. */
  awarenessClock = 0
  /** What was told last: the next connection begins with it. */
  presence: Presence | undefined
  #place: LogPlace | undefined
  /** Something that was read is gone, and the log is about to be read again. */
  #misses = false
  #state: RelayState = { state: 'connecting' }
  #socket: LinkSocket | undefined
  #waiting: Uint8Array[] = []
  #deletionAnswered = () => {}

  constructor(options: LinkOptions) {
    this.options = options
    this.#place = options.place
    this.early = new Early(options.doc, () => {
      this.#misses = true
      queueMicrotask(() => this.readAgain()) // with what is there now, or it would be missed each time
    })
  }

  get state(): RelayState {
    return this.#state
  }

  /** Connected otherwise than by WebSocket. */
  get slow(): boolean {
    return this.#socket?.slow ?? false
  }

  /** Changes of this device that no store has. */
  get waiting(): number {
    return this.#waiting.length + this.elsewhere
  }

  get place(): LogPlace | undefined {
    return this.#place
  }

  /** For the provider's `WebSocketPolyfill`. */
  get socketClass(): new (
    url: string,
  ) => LinkSocket {
    const link = this
    return class extends LinkSocket {
      constructor(url: string) {
        super(link, url)
        link.#socket = this
      }
    }
  }

  /** Notes a change made on this device, until it is saved. */
  noteChange(update: Uint8Array): void {
    if (this.#place?.held.contains(update)) return
    this.#waiting.push(update)
    this.options.changed()
  }

  /** The document has got something that may not have come from the relay, but from another tab. Observers have nothing to send. */
  hearElsewhere(): void {
    if (!this.delivers && this.options.keys.role !== 'observer') this.elsewhere++
  }

  /** Of those who are here, some have told nothing yet: whoever comes hears of the others one after the other. */
  get someAreSilent(): boolean {
    return this.#socket?.someAreSilent ?? false
  }

  affirm(clients: readonly number[]): void {
    this.#socket?.affirm(clients)
  }

  tell(presence: Presence): void {
    this.presence = presence
    this.#socket?.tell(presence)
  }

  /** Stands for the connection while there is one whose relay has a store. */
  get connection(): unknown {
    const socket = this.#socket
    return this.#state.state === 'connected' && socket?.readyState === socket?.OPEN ? socket : undefined
  }

  deposit(seal: SealId, deposit: Deposit): void {
    this.#socket?.deposit(seal, deposit)
  }

  /** Has the store append the keys of the round with this escrow name. */
  askForRelease(round: Uint8Array, asker: Asker): void {
    this.#socket?.askForRelease(round, asker)
  }

  /** "Try now", or somebody looks at the page again, or the device has a network again. */
  retryNow(): void {
    this.#socket?.retryNow()
    this.backoff.startAfter(0)
  }

  /** Asks the others for what this device lacks. */
  askPeers(): void {
    this.#socket?.askPeers()
  }

  /** Reads the log from its beginning, so that nothing of it is missed, and sends what it lacks. */
  readAgain(): void {
    this.#place = undefined
    this.#misses = false
    this.#socket?.resume()
  }

  /** For everybody: the owner's keys are needed. Resolves when the relay has said that it is done, or will not be. */
  async deleteFromRelay(): Promise<'deleted' | 'offline' | 'refused'> {
    if (this.#isDeleted) return 'deleted'
    if (this.#isRefused) return 'refused'
    if (!this.#socket?.askToDelete()) return 'offline'
    await new Promise<void>((resolve) => {
      this.#deletionAnswered = resolve
    })
    return this.#isDeleted ? 'deleted' : this.#isRefused ? 'refused' : 'offline'
  }

  notDeleted(): void {
    this.#deletionAnswered()
  }

  get #isRefused(): boolean {
    return this.#state.state === 'refused'
  }

  get #isDeleted(): boolean {
    return this.#state.state === 'refused' && this.#state.reason === 'deleted'
  }

  /** The log was read further, or more of it is saved. */
  moved(held: Held, place: LogPlace | undefined): void {
    this.#waiting = this.#waiting.filter((update) => !held.contains(update))
    if (place && !this.#misses && !this.early.waits && !this.options.escrow?.holds) {
      this.#place = place
      // What waits in the document is on no disk: the next visit reads it again.
      const { pendingStructs, pendingDs } = this.options.doc.store
      if (!pendingStructs && !pendingDs) this.options.remember(place)
    }
    this.options.changed()
  }

  become(state: RelayState): void {
    const stillOffline = state.state === 'offline' && this.#state.state === 'offline'
    const refused = this.#state.state === 'refused' && state.state === 'offline'
    if (stillOffline || refused) return
    this.#state = state
    if (state.state === 'refused' || state.state === 'offline') this.#deletionAnswered()
    this.options.changed()
  }

  now(): number {
    return (this.options.now ?? Date.now)()
  }
}
