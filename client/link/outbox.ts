import * as Y from 'yjs'
import { encrypt } from '../../shared/envelope.ts'
import type { SessionKeys } from '../../shared/keys.ts'
import { splitIntoParts } from '../../shared/parts.ts'
import type { FromClient, FromRelay } from '../../shared/wire.ts'
import { largestPiece } from './gate.ts'

type Append = Extract<FromClient, { type: 'append' }>
type Answer = Extract<FromRelay, { type: 'saved' | 'unsaved' }>

/** Typing sends a change for each letter; within this many milliseconds they become one. */
const coalesceFor = 50
/** In bytes. Merging saves envelopes, which matters for letters; for an import it would decode and encode everything once more. */
const worthMerging = 16 * 1024
/** Each retry reaches everybody in the room again, and a relay whose store is back says so itself. */
const [firstRetry, lastRetry] = [2_000, 8_000]
/** So many envelopes at once: a relay closes connections that send more than 400, and in a long outage much comes together. */
const mostRetried = 100

/** Updates on their way together: their envelopes that are not saved yet, kept so that a retry is the same bytes. */
interface Shipment {
  readonly updates: readonly Uint8Array[]
  readonly envelopes: Map<number, Uint8Array>
}

/**
 * The changes on one connection that the relay has not saved. The first after a pause leaves at once, a vote for instance;
 * those that follow are gathered. Nothing here has to survive: the document itself is the outbox.
 */
export class Outbox {
  readonly #keys: SessionKeys
  readonly #send: (message: Append) => void
  readonly #saved: (update: Uint8Array) => void
  readonly #shipments = new Map<number, Shipment>()
  /** Of these, what the relay could not save. */
  readonly #refused = new Set<number>()
  #queue: Uint8Array[] = []
  /** How many are being split into pieces. */
  #splitting = 0
  #isStopped = false
  #gathering: ReturnType<typeof setTimeout> | undefined
  #retrying: ReturnType<typeof setTimeout> | undefined
  #retryAfter = firstRetry
  readonly #nextRef: () => number

  constructor(
    keys: SessionKeys,
    nextRef: () => number,
    send: (message: Append) => void,
    saved: (update: Uint8Array) => void,
  ) {
    this.#keys = keys
    this.#nextRef = nextRef
    this.#send = send
    this.#saved = saved
  }

  get empty(): boolean {
    return this.#queue.length === 0 && this.#splitting === 0 && this.#shipments.size === 0
  }

  add(update: Uint8Array): void {
    this.#queue.push(update)
    if (!this.#gathering) this.#ship()
  }

  answered(answer: Answer): void {
    const shipment = this.#shipments.get(answer.ref)
    if (!shipment) return
    if (answer.type === 'unsaved') this.#refused.add(answer.ref)
    else {
      this.#retryAfter = firstRetry
      shipment.envelopes.delete(answer.ref)
      this.#shipments.delete(answer.ref)
      if (shipment.envelopes.size === 0) shipment.updates.forEach(this.#saved)
    }
    if (this.#refused.size > 0)
      this.#retrying ??= setTimeout(() => this.#retry(), this.#retryAfter * (1 + Math.random()))
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#gathering)
    clearTimeout(this.#retrying)
    this.#shipments.clear()
    this.#refused.clear()
    this.#queue = []
  }

  #ship(): void {
    this.#gathering = setTimeout(() => {
      this.#gathering = undefined
      if (this.#queue.length > 0) this.#ship()
    }, coalesceFor)
    const updates = this.#queue
    this.#queue = []
    const bytes = updates.reduce((sum, update) => sum + update.length, 0)
    if (bytes <= worthMerging) this.#load(updates, Y.mergeUpdates(updates))
    else for (const update of updates) this.#load([update], update)
  }

  #load(updates: readonly Uint8Array[], content: Uint8Array): void {
    if (content.length > largestPiece) void this.#split(updates, content)
    else this.#loadPieces(updates, [content])
  }

  /** Few visits send so much at once, so the way to split it is fetched when one does. */
  async #split(updates: readonly Uint8Array[], content: Uint8Array): Promise<void> {
    this.#splitting++
    try {
      const { splitUpdate } = await import('./update-pieces.ts')
      if (!this.#isStopped) this.#loadPieces(updates, splitUpdate(content))
    } catch {
      // Without a network. The document still has it, and whoever looks what the log lacks comes back with it.
    } finally {
      this.#splitting--
    }
  }

  #loadPieces(updates: readonly Uint8Array[], pieces: readonly Uint8Array[]): void {
    const shipment: Shipment = { updates, envelopes: new Map() }
    for (const part of pieces.flatMap(splitIntoParts)) {
      const ref = this.#nextRef()
      const envelope = encrypt(this.#keys, 'change', part)
      shipment.envelopes.set(ref, envelope)
      this.#shipments.set(ref, shipment)
    }
    for (const [ref, envelope] of shipment.envelopes) this.#send({ type: 'append', ref, envelope })
  }

  #retry(): void {
    this.#retrying = undefined
    this.#retryAfter = Math.min(lastRetry, this.#retryAfter * 2)
    for (const ref of [...this.#refused].slice(0, mostRetried)) {
      this.#refused.delete(ref)
      const envelope = this.#shipments.get(ref)?.envelopes.get(ref)
      if (envelope) this.#send({ type: 'append', ref, envelope })
    }
  }
}
