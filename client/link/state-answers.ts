import * as Y from 'yjs'
import { equalBytes } from '../../shared/codec.ts'
import type { SessionKeys } from '../../shared/keys.ts'
import { PartCollector } from '../../shared/parts.ts'
import type { ConnectionId } from '../../shared/wire.ts'
import { decodeOnce } from './decoded.ts'
import { decodeQuestion, encodeAnswer, type Question, type StatePart } from './state-messages.ts'
import { splitUpdate } from './update-pieces.ts'

/** How long whoever asks waits for the answer, in milliseconds. */
export const patience = 3_000
/** Of a state vector: 256 KiB are some 28,000 devices. */
const mostParts = 4
/** Questions that have arrived in part, and such as wait for their turn: more than a team has newcomers at once. */
const most = { begun: 32, waiting: 64 } as const
/**
 * In milliseconds, from one question to the next. A relay bears 200 frames a second of one connection, and the votes are among
 * them; and what is encoded for each answer is the whole document.
 */
const pause = { least: 20, perPart: 10, perByteRead: 1 / (32 << 10) } as const
/** After so many milliseconds somebody is answered again who has no more than when they last asked. */
const rest = 2_000
/** In bytes: with each rest so much less counts of what was sent to somebody. */
const forgiven = 256 << 10

interface AnswersOptions {
  readonly keys: SessionKeys
  readonly doc: Y.Doc
  readonly send: (content: Uint8Array, to: ConnectionId) => void
  /** Whoever asks says that they have what this device lacks. */
  readonly hasMore: (connection: ConnectionId) => void
}

interface Waiting extends Question {
  readonly since: number
}

/** Sizes of documents are sums of clocks, and clocks count only as far as this device has them, too: anybody can make up more. */
interface Answered {
  /** What they had when they asked; -1 after a rest. */
  had: number
  /** What they have once they have taken what they were sent. */
  has: number
  /** What they were sent, in bytes. */
  sent: number
}

/**
 * Tells the others what they lack. Anybody may ask, observers too, so that answers are few: one after the other with pauses, to
 * each only what comes after that which they were sent, and the same again only after a rest, which is longer the more it is.
 */
export class StateAnswers {
  readonly #options: AnswersOptions
  readonly #begun = new Map<ConnectionId, { readonly name: string; readonly parts: PartCollector }>()
  readonly #waiting = new Map<ConnectionId, Waiting>()
  readonly #answered = new Map<ConnectionId, Answered>()
  /** Newcomers ask the same. */
  #latest:
    | { readonly stateVector: Uint8Array; readonly piece: Uint8Array; readonly more: boolean }
    | undefined
  #pausing: ReturnType<typeof setTimeout> | undefined
  #resting: ReturnType<typeof setTimeout> | undefined

  constructor(options: AnswersOptions) {
    this.#options = options
    options.doc.on('update', this.#forget)
  }

  hear(from: ConnectionId, part: StatePart): void {
    const question = this.#gather(from, part)
    if (!question || (this.#waiting.size >= most.waiting && !this.#waiting.has(from))) return
    this.#waiting.set(from, { ...question, since: Date.now() })
    if (this.#pausing === undefined) this.#next()
  }

  left(connection: ConnectionId): void {
    this.#begun.delete(connection)
    this.#waiting.delete(connection)
    this.#answered.delete(connection)
  }

  stop(): void {
    clearTimeout(this.#pausing)
    clearTimeout(this.#resting)
    this.#options.doc.off('update', this.#forget)
  }

  /** Nobody asks two things at once, so of each only the newest is kept. */
  #gather(from: ConnectionId, part: StatePart): Question | undefined {
    if (part.count > mostParts) return undefined
    const name = part.group.join()
    const known = this.#begun.get(from)
    const parts = known?.name === name ? known.parts : new PartCollector()
    const question = parts.add(part)
    this.#begun.delete(from)
    if (parts.waiting) this.#begun.set(from, { name, parts })
    const [oldest] = this.#begun.keys()
    if (oldest !== undefined && this.#begun.size > most.begun) this.#begun.delete(oldest)
    return question && decodeQuestion(question)
  }

  #next(): void {
    this.#pausing = undefined
    const [next] = this.#waiting
    if (!next) return
    const [from, question] = next
    this.#waiting.delete(from)
    // Whoever has waited so long asks somebody else by now.
    const pausing = Date.now() - question.since < patience ? this.#answer(from, question) : 0
    this.#pausing = setTimeout(() => this.#next(), pausing)
  }

  /** How long to pause before the next, in milliseconds. */
  #answer(from: ConnectionId, { nonce, stateVector }: Question): number {
    const state = decodeState(stateVector)
    if (!state) return pause.least
    const { keys, doc, send, hasMore } = this.#options
    const lacks = [...state].some(([client, end]) => end > Y.getState(doc.store, client))
    const had = this.#sizeOf(state)
    const before = this.#answered.get(from)
    let pausing: number = pause.least
    if (!before || (had > before.had && had >= before.has)) {
      const { piece, more, read } = this.#firstPiece(stateVector)
      const parts = encodeAnswer(keys, nonce, more, piece)
      for (const part of parts) send(part, from)
      for (const { id, length } of decodeOnce(piece)?.structs ?? []) {
        state.set(id.client, Math.max(id.clock + length, state.get(id.client) ?? 0))
      }
      const sent = (before?.sent ?? 0) + piece.length
      this.#answered.set(from, { had, has: this.#sizeOf(state), sent })
      this.#resting ??= setTimeout(() => this.#rest(), rest)
      pausing = Math.max(pausing, parts.length * pause.perPart, read * pause.perByteRead)
    }
    if (lacks) hasMore(from)
    return pausing
  }

  #firstPiece(stateVector: Uint8Array): { piece: Uint8Array; more: boolean; read: number } {
    const latest = this.#latest
    if (latest && equalBytes(latest.stateVector, stateVector)) return { ...latest, read: 0 }
    const update = Y.encodeStateAsUpdate(this.#options.doc, stateVector)
    const [piece = update, second] = splitUpdate(update)
    this.#latest = { stateVector, piece, more: second !== undefined }
    return { ...this.#latest, read: update.length }
  }

  readonly #forget = () => {
    this.#latest = undefined
  }

  #rest(): void {
    this.#forget()
    for (const [connection, answered] of this.#answered) {
      answered.had = -1
      answered.sent -= forgiven
      if (answered.sent <= 0) this.#answered.delete(connection)
    }
    this.#resting = this.#answered.size > 0 ? setTimeout(() => this.#rest(), rest) : undefined
  }

  #sizeOf(state: ReadonlyMap<number, number>): number {
    const { store } = this.#options.doc
    return [...state].reduce((sum, [client, end]) => sum + Math.min(end, Y.getState(store, client)), 0)
  }
}

function decodeState(stateVector: Uint8Array): Map<number, number> | undefined {
  try {
    return Y.decodeStateVector(stateVector)
  } catch {
    return undefined // a member may send anything
  }
}
