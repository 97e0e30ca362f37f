import { randomBytes } from '@noble/hashes/utils.js'
import * as Y from 'yjs'
import { equalBytes } from '../../shared/codec.ts'
import type { SessionKeys } from '../../shared/keys.ts'
import { PartCollector } from '../../shared/parts.ts'
import type { ConnectionId } from '../../shared/wire.ts'
import { isAcceptable } from './gate.ts'
import {
  decodeAnswer,
  decodeQuestion,
  decodeStatePart,
  encodeAnswer,
  encodeQuestion,
  isAnswerOfWriter,
  type Question,
} from './state-messages.ts'
import { splitUpdate } from './update-pieces.ts'

/** Whoever has not answered by then is given up, and the next is asked. */
const patience = 3_000
/** After so long a connection is answered again though it has nothing more than when it last asked. */
const rest = 2_000
/** Parts of a state vector, or of a piece of the document. */
const mostParts = 32

export interface ExchangeOptions {
  readonly keys: SessionKeys
  readonly doc: Y.Doc
  /** Who could be asked now, the best first. */
  readonly candidates: () => readonly ConnectionId[]
  readonly send: (content: Uint8Array, to: ConnectionId) => void
  readonly apply: (update: Uint8Array) => void
}

/**
 * Two devices give each other what the other lacks, by signals: while no store answers, and when a log has kept something
 * from one of them. One asks with its state vector, the other answers with what comes next, until nothing does; and asks back
 * when the question shows that it lacks something itself. Piece by piece, so that no relay takes a newcomer for a slow reader.
 */
export class StateExchange {
  readonly #options: ExchangeOptions
  #asked: { readonly of: ConnectionId; readonly nonce: Uint8Array; readonly parts: PartCollector } | undefined
  /** Asked in vain since somebody last answered. */
  readonly #mute = new Set<ConnectionId>()
  /** How much those had who were answered lately: the sum of their clocks. */
  readonly #answered = new Map<ConnectionId, number>()
  readonly #questions = new Map<ConnectionId, PartCollector>()
  #waiting: ReturnType<typeof setTimeout> | undefined
  #resting: ReturnType<typeof setTimeout> | undefined

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  /** Asks one of those who are here for what this device lacks; when they stay silent, another. */
  ask(): void {
    if (this.#asked) return
    const next = this.#options.candidates().find((candidate) => !this.#mute.has(candidate))
    if (next === undefined) this.#mute.clear()
    else this.#askOne(next)
  }

  hear(from: ConnectionId, content: Uint8Array): void {
    const part = decodeStatePart(content)
    if (!part || part.count > mostParts) return
    if (part.kind === 'answer' && this.#asked?.of === from) {
      const answer = this.#asked.parts.add(part)
      if (answer) this.#take(answer)
    }
    if (part.kind === 'question' && this.#options.keys.role !== 'observer') {
      const parts = this.#questions.get(from) ?? new PartCollector()
      this.#questions.set(from, parts)
      const question = parts.add(part)
      if (question) this.#answer(from, decodeQuestion(question))
    }
  }

  left(connection: ConnectionId): void {
    this.#questions.delete(connection)
    if (this.#asked?.of === connection) this.#giveUp()
  }

  stop(): void {
    clearTimeout(this.#waiting)
    clearTimeout(this.#resting)
  }

  #askOne(of: ConnectionId): void {
    clearTimeout(this.#waiting)
    const nonce = randomBytes(16)
    this.#asked = { of, nonce, parts: new PartCollector() }
    this.#waiting = setTimeout(() => this.#giveUp(), patience)
    const stateVector = Y.encodeStateVector(this.#options.doc)
    for (const part of encodeQuestion({ nonce, stateVector })) this.#options.send(part, of)
  }

  #take(bytes: Uint8Array): void {
    const answer = decodeAnswer(bytes)
    const asked = this.#asked
    const { keys, apply } = this.#options
    if (!asked || !answer || !equalBytes(answer.nonce, asked.nonce)) return
    if (!isAnswerOfWriter(keys, answer) || !isAcceptable(answer.update)) return this.#giveUp()
    clearTimeout(this.#waiting)
    this.#asked = undefined
    this.#mute.clear()
    apply(answer.update)
    if (answer.more) this.#askOne(asked.of)
  }

  #giveUp(): void {
    clearTimeout(this.#waiting)
    if (this.#asked) this.#mute.add(this.#asked.of)
    this.#asked = undefined
    this.ask()
  }

  #answer(from: ConnectionId, question: Question | undefined): void {
    const state = question && decodeState(question.stateVector)
    if (!state) return
    const size = [...state.values()].reduce((sum, clock) => sum + clock, 0)
    if (size <= (this.#answered.get(from) ?? -1)) return
    this.#answered.set(from, size)
    this.#resting ??= setTimeout(() => {
      this.#resting = undefined
      this.#answered.clear()
    }, rest)
    const { keys, doc, send } = this.#options
    const [piece, more] = splitUpdate(Y.encodeStateAsUpdate(doc, question.stateVector))
    if (!piece) return
    for (const part of encodeAnswer(keys, question.nonce, more !== undefined, piece)) send(part, from)
    const lacks = [...state].some(([client, end]) => end > Y.getState(doc.store, client))
    if (lacks && this.#asked?.of !== from) this.#askOne(from)
  }
}

function decodeState(stateVector: Uint8Array): Map<number, number> | undefined {
  try {
    return Y.decodeStateVector(stateVector)
  } catch {
    return undefined // a member may send anything
  }
}
