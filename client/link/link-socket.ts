import * as Y from 'yjs'
import { closeReason } from '../../shared/close-code.ts'
import { type Cursor, covers } from '../../shared/cursor.ts'
import { decrypt, encrypt } from '../../shared/envelope.ts'
import type { Asker, Deposit } from '../../shared/escrow.ts'
import type { SealId } from '../../shared/id.ts'
import { deleteStatement, roleSeed, sign } from '../../shared/keys.ts'
import type { ConnectionId, FromClient, FromRelay } from '../../shared/wire.ts'
import { mergeInPortions } from './decoded.ts'
import { EscrowAsks } from './escrow-asks.ts'
import { asMade } from './held.ts'
import { greet } from './hello.ts'
import { LazyExchange } from './lazy-exchange.ts'
import { readFromOlder, snapshotOf } from './lazy-second-reading.ts'
import { Line, type LineOptions } from './line.ts'
import { LogReader } from './log-reader.ts'
import { Outbox } from './outbox.ts'
import { decodePresence, encodePresence, type Presence, PresentPeers } from './presence.ts'
import { answer, decodeProviderFrame, question, updateFrame } from './provider-frames.ts'
import type { RelayLink } from './relay-link.ts'

/** How often a quiet connection looks for changes that are neither in the log nor on their way. */
const reconcileEvery = 4_000
/** Before it looks first: soon, since connections may never last longer, and not all devices at once. */
const firstLook = { after: 1_000, spread: 1_000 } as const
/** So many times in a row with changes on their way and no answer to any, and nobody hears us: a store answers within 10 s, if only with no. */
const deafnessAllowed = 5
/** Whoever begins with a snapshot looks behind it, when the session is shown and not all at the same time. */
const secondReading = { after: 3_000, spread: 5_000 } as const

/**
 * Looks like a WebSocket to a Yjs server, and is one connection of the encrypted link to a blind relay. It opens when the
 * log has been read; from then on it plays the server: it answers the provider from what the log holds, and sends on what
 * the log lacks.
 */
export class LinkSocket {
  readonly CONNECTING = 0
  readonly OPEN = 1
  readonly CLOSING = 2
  readonly CLOSED = 3
  binaryType = 'arraybuffer'
  readyState = 0
  onopen: (() => void) | null = null
  onmessage: ((event: { data: Uint8Array }) => void) | null = null
  onclose: ((event: { code: number; reason: string }) => void) | null = null
  onerror: ((event: unknown) => void) | null = null

  readonly #link: RelayLink
  readonly #url: string
  readonly #reader: LogReader
  readonly #outbox: Outbox
  readonly #peers: PresentPeers
  readonly #exchange: LazyExchange
  readonly #line: Line
  readonly #escrow: EscrowAsks
  #reconciling: ReturnType<typeof setInterval> | undefined
  #lookingBehind: ReturnType<typeof setTimeout> | undefined
  #compacting = false
  /** What the log brought before the provider was ready for it. */
  #caughtUp: Uint8Array[] = []
  #snapshot: Uint8Array | undefined
  #deafness = 0
  #refusal: string | undefined
  /** The relay goes, and others are there. */
  #isHandedOver = false
  #ref = 0
  constructor(link: RelayLink, url: string) {
    this.#link = link
    this.#url = url
    this.#peers = new PresentPeers(() => ++link.awarenessClock)
    this.#reader = new LogReader(link.options.keys, link.place)
    const nextRef = () => ++this.#ref
    const send = (message: FromClient) => this.#line.send(message)
    this.#outbox = new Outbox(link.options.keys, nextRef, send, (update) => this.#saved(update))
    this.#escrow = new EscrowAsks(link.options.escrow, nextRef, send)
    this.#exchange = new LazyExchange({
      keys: link.options.keys,
      doc: link.options.doc,
      others: () => this.#peers.others,
      digest: () => link.presence?.digest,
      send: (content, to) => this.#signal(content, to),
      apply: (update) => this.#bring(update),
    })
    const line: LineOptions = {
      url,
      connect: link.options.connect,
      now: () => link.now(),
      receive: (message) => this.#receive(message),
      fail: (event) => this.onerror?.(event),
      end: (code, reason) => this.#ended(code, reason),
    }
    this.#line = new Line(line, link.backoff.next())
  }

  get slow(): boolean {
    return this.readyState === this.OPEN && this.#line.slow
  }

  retryNow(): void {
    if (this.readyState === this.CLOSED) return
    if (this.#line.isStale) this.resume()
    else this.#line.dial()
  }

  /** From the provider. */
  send(bytes: Uint8Array): void {
    const frame = decodeProviderFrame(bytes)
    switch (frame.type) {
      case 'question':
        return this.#introduceLog()
      case 'answer':
        // Not its content: what waits in the document for a change that nobody sent would be uploaded again each time.
        // What others made they upload themselves; if they are gone, `#reconcile` does, and not everybody at once.
        if (
          this.#mayWrite &&
          this.#link.waiting > this.#link.elsewhere &&
          !this.#reader.sees(this.#link.options.doc)
        )
          this.#outbox.add(frame.update)
        return
      case 'update': {
        const update = asMade(frame.update)
        if (this.#mayWrite && !this.#reader.held.contains(update)) this.#outbox.add(update)
        return
      }
      case 'awareness':
      case 'other':
        return // presence goes its own way, see `tell`
    }
  }

  /** From the provider, also when it has heard nothing for long. */
  close(): void {
    this.#ended(4508, '')
  }

  /** Ends this connection; the next one starts from the link's place. */
  resume(): void {
    this.#ended(4512, '')
  }

  get someAreSilent(): boolean {
    return this.#peers.someAreSilent
  }

  /** Tells the provider of those of its clients who are here, whoever says that they have left. */
  affirm(clients: readonly number[]): void {
    const renewal = this.readyState === this.OPEN ? this.#peers.renewalOf(clients) : undefined
    if (renewal) queueMicrotask(() => this.#emit(renewal)) // it is still busy with what made it forget them
  }

  /** Tells everybody, or the one who has just joined, who we are. */
  tell(presence: Presence, to: ConnectionId = 0): void {
    this.#signal(encodePresence(presence), to)
  }

  /** What this device lacks, without a log. */
  askPeers(): void {
    if (this.readyState === this.OPEN) this.#exchange.ask()
  }

  /** The relay's answer is that it closes, or `unsaved`. */
  askToDelete(): boolean {
    if (this.readyState !== this.OPEN) return false
    const { keys } = this.#link.options
    this.#line.send({ type: 'delete', signature: sign(deleteStatement(keys.session), roleSeed(keys)) })
    return true
  }

  deposit(seal: SealId, deposit: Deposit): void {
    this.#escrow.deposit(seal, deposit)
  }

  askForRelease(round: Uint8Array, asker: Asker): void {
    this.#escrow.release(round, asker)
  }

  #receive(message: FromRelay): void {
    switch (message.type) {
      case 'challenge':
        return this.#prove(message.nonce)
      case 'snapshot':
        return this.#readSnapshot(message.envelope)
      case 'entry':
        return this.#readEntry(message)
      case 'caughtUp':
        return this.#open(message)
      case 'saved':
        this.#deafness = 0
        this.#link.savedTwice = false
        this.#reader.confirm(message.cursor)
        this.#outbox.answered(message)
        this.#escrow.answered(message.ref, 'kept')
        this.#moved()
        if (message.compact) void this.#compact(message.compact.replaces, message.ref)
        return
      case 'unsaved':
        this.#deafness = 0
        if (this.#escrow.answered(message.ref, message.reason === 'closed' ? 'closed' : 'refused')) return
        if (message.ref === 0) this.#link.notDeleted()
        this.#outbox.answered(message)
        return this.#link.become({ state: 'unkept' })
      case 'signal':
        return this.#readSignal(message.from, message.envelope)
      case 'joined':
        return this.#meet(message.connection)
      case 'left':
        this.#exchange.left(message.connection)
        return this.#emit(this.#peers.remove(message.connection))
      case 'keepalive':
        this.#reader.confirm(message.cursor)
        this.#link.savedTwice = message.elsewhere.size > 0 && covers(message.elsewhere, this.#reader.cursor)
        this.#moved()
        return this.#emit(this.#peers.renewal())
      case 'refuse':
        this.#refusal = message.words
        return
      case 'released':
        return this.#link.options.escrow?.released(message.body)
      case 'goingAway':
        this.#isHandedOver = message.retryAfter === 0
        return this.#link.backoff.startAfter(message.retryAfter * Math.random())
    }
  }

  #meet(connection: ConnectionId): void {
    const wasAlone = this.#peers.isEmpty
    this.#peers.arrive(connection)
    if (this.#link.presence) this.tell(this.#link.presence, connection)
    if (wasAlone && this.#link.state.state === 'unkept') this.askPeers()
  }

  #prove(nonce: Uint8Array): void {
    const { options, generation } = this.#link
    const { cursor } = this.#reader
    greet(nonce, { ...options, generation, cursor }, (hello) => this.#line.send(hello))
  }

  #readSnapshot(envelope: Uint8Array): void {
    const update = this.#reader.readSnapshot(envelope)
    if (update) {
      this.#snapshot = update
      this.#caughtUp.push(update)
      return
    }
    this.#link.skipped++
    if (this.#link.generation > 0) return // nothing older is kept: go on with the entries
    this.#link.generation = 1
    this.resume()
  }

  #readEntry(message: Extract<FromRelay, { type: 'entry' }>): void {
    const update = this.#reader.readEntry(message.envelope, message.cursor)
    if (!update) return
    if (this.readyState !== this.OPEN) {
      this.#caughtUp.push(update)
      return
    }
    this.#link.savedTwice = false
    this.#reader.confirm(this.#reader.cursor) // an entry that comes late may be saved already
    this.#bring(update)
    this.#noticeOthers()
  }

  #open(message: Extract<FromRelay, { type: 'caughtUp' }>): void {
    if (this.readyState !== this.CONNECTING) return
    this.#line.begin()
    // A store that takes nothing may still be read, and then it says how far.
    const wasRead = message.log === 'kept' || message.cursor.size > 0
    if (!message.resumed && wasRead) {
      this.#link.inDoubt ||= this.#link.place !== undefined
      this.#reader.startOver()
    }
    if (this.#snapshot) {
      this.#reader.held.add(this.#snapshot)
      const { after, spread } = secondReading
      this.#lookingBehind = setTimeout(() => void this.#lookBehind(), after + Math.random() * spread)
    }
    this.#reader.confirm(message.cursor)
    this.readyState = this.OPEN
    this.#link.savedTwice = false
    this.#link.backoff.succeeded()
    this.#link.become({ state: message.log === 'kept' ? 'connected' : 'unkept' })
    this.onopen?.()
    if (this.#link.presence) this.tell(this.#link.presence)
    if (message.log !== 'kept') this.askPeers()
    this.#reconciling = setTimeout(
      () => {
        this.#reconciling = setInterval(() => this.#look(), reconcileEvery)
        this.#look()
      },
      firstLook.after + Math.random() * firstLook.spread,
    )
  }

  /** Plays the server's side of the sync protocol: what the log brought, then what else the log would like to have. */
  #introduceLog(): void {
    const updates = this.#caughtUp
    this.#caughtUp = []
    this.#apply(mergeInPortions(this.#link.early.sort(updates)))
    this.#applyRest()
    this.#emit(answer(emptyUpdate))
    this.#emit(question(this.#reader.held.stateVector()))
    // Until it is seen that the store did not lose what it had said was saved, or that this is the same store.
    if (this.#mayWrite && !this.#link.waiting && this.#link.connection) {
      this.#link.elsewhere = 1
      this.#link.inDoubt = true
    }
    this.#moved()
  }

  /** What comes when this connection has ended is left: what waits for it belongs to the next one. */
  #bring(update: Uint8Array): void {
    if (this.readyState === this.OPEN) this.#apply(this.#link.early.sort([update]))
  }

  /** Circles of changes that need each other would stay with Yjs, and cost more with each that comes. */
  #apply(updates: readonly Uint8Array[]): void {
    const { store } = this.#link.options.doc
    const { pendingStructs, pendingDs } = store
    for (const update of updates) this.#emit(updateFrame(update))
    if (!pendingStructs) store.pendingStructs = null
    if (!pendingDs) store.pendingDs = null
  }

  /** Nobody sends what these build on any more. */
  #applyRest(): void {
    const rest = this.readyState === this.OPEN && this.#link.early.takeRest()
    if (rest) this.#emit(updateFrame(rest))
  }

  /** The provider notices silence, too, but by the device's clock, and that may have been set back. */
  #look(): void {
    this.#deafness = this.#outbox.empty ? 0 : this.#deafness + 1
    if (this.#line.isDead() || this.#deafness > deafnessAllowed) return this.#ended(4508, '')
    this.#applyRest()
    this.#reconcile()
  }

  /** A change of another tab that closed before it could send, or one the log lost, is sent from here. */
  #reconcile(): void {
    if (!this.#outbox.empty || !this.#mayWrite) return
    const { doc } = this.#link.options
    if (this.#reader.sees(doc)) return
    this.#outbox.add(Y.encodeStateAsUpdate(doc, this.#reader.held.stateVector()))
  }

  #readSignal(from: ConnectionId, envelope: Uint8Array): void {
    const content = decrypt(this.#link.options.keys, 'signal', envelope)
    if (!content) return
    const presence = decodePresence(content)
    if (presence) this.#emit(this.#peers.set(from, presence))
    else this.#exchange.hear(from, content)
  }

  #signal(content: Uint8Array, to: ConnectionId): void {
    if (this.readyState !== this.OPEN) return
    const envelope = encrypt(this.#link.options.keys, 'signal', content)
    this.#line.send({ type: 'signal', to, envelope })
  }

  #saved(update: Uint8Array): void {
    this.#reader.held.add(update)
    if (this.#link.state.state === 'unkept') this.#link.become({ state: 'connected' })
  }

  /** What another tab did has come to the log, or is on its way there. */
  #noticeOthers(): void {
    const { elsewhere, inDoubt, state, options } = this.#link
    if (!elsewhere || state.state !== 'connected') return
    const isThere = inDoubt
      ? this.#reader.held.covers(Y.snapshot(options.doc))
      : this.#reader.sees(options.doc)
    if (!isThere) return
    this.#link.elsewhere = 0
    this.#link.inDoubt = false
  }

  #moved(): void {
    this.#noticeOthers()
    this.#link.moved(this.#reader.held, this.#reader.place)
  }

  /** What the newest snapshot hides and this device can read is sent again by the next look. */
  async #lookBehind(): Promise<Cursor | undefined> {
    const reading = await readFromOlder(this.#link.options, this.#url, this.#reader)
    if (reading) this.#bring(reading.update)
    this.#applyRest()
    return reading?.cursor
  }

  /**
   * One upload that stands for the whole log so far, by a device that has just read it: what a relay once kept from it would
   * be hidden from everybody. Not while more is on its way, as during an import (unless nothing is taken, which the ref 0 says),
   * nor while released keys are in no document yet: the relay asks again. Not when it fits no envelope, which is found out before the log is read.
   */
  async #compact(replaces: Uint8Array | undefined, ref: number): Promise<void> {
    if (this.#compacting || (ref && !this.#outbox.empty)) return
    const { early, options } = this.#link
    this.#compacting = true
    const covers = (await snapshotOf(options)) && (await this.#lookBehind())
    const envelope = await snapshotOf(options)
    this.#compacting = false
    if (!covers || !envelope || early.waits || options.escrow?.holds || this.readyState !== this.OPEN) return
    this.#line.send({ type: 'snapshot', covers, replaces, envelope })
    if (!ref) this.#link.readAgain()
  }

  get #mayWrite(): boolean {
    return this.#link.options.keys.role !== 'observer'
  }

  #emit(frame: Uint8Array | undefined): void {
    if (!frame || this.readyState !== this.OPEN) return
    this.#link.delivers = true
    this.onmessage?.({ data: frame })
    this.#link.delivers = false
  }

  #ended(code: number, reason: string): void {
    if (this.readyState === this.CLOSED) return
    this.#stop()
    this.readyState = this.CLOSED
    if (!this.#isHandedOver) this.#link.backoff.failed()
    const final = code >= 4400 && code < 4500
    this.#link.become(
      final
        ? { state: 'refused', reason: closeReason(code), words: this.#refusal ?? reason }
        : { state: 'offline', since: this.#link.now() },
    )
    this.onclose?.({ code, reason })
  }

  #stop(): void {
    this.#line.stop()
    clearInterval(this.#reconciling)
    clearTimeout(this.#lookingBehind)
    this.#outbox.stop()
    this.#exchange.stop()
  }
}

const emptyUpdate = Uint8Array.of(0, 0)
