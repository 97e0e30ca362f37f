import { randomBytes } from '@noble/hashes/utils.js'
import * as Y from 'yjs'
import { equalBytes } from '../../shared/codec.ts'
import type { SessionKeys } from '../../shared/keys.ts'
import { PartCollector } from '../../shared/parts.ts'
import type { ConnectionId } from '../../shared/wire.ts'
import { isAcceptable } from './gate.ts'
import type { Presence } from './presence.ts'
import { patience, StateAnswers } from './state-answers.ts'
import { decodeAnswer, decodeStatePart, encodeQuestion, isAnswerOfWriter } from './state-messages.ts'

/** Of a piece of the document. */
const mostParts = 32
/** Of those who say that they have more. */
const mostRicher = 64

export interface ExchangeOptions {
  readonly keys: SessionKeys
  readonly doc: Y.Doc
  /** Who could be asked now, with what they have told. */
  readonly others: () => readonly (readonly [ConnectionId, Presence | undefined])[]
  /** Of what this device has told the others that it has. */
  readonly digest: () => Uint8Array | undefined
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
  readonly #answers: StateAnswers
  #asked: { readonly of: ConnectionId; readonly nonce: Uint8Array; readonly parts: PartCollector } | undefined
  /** Asked in vain since somebody last gave all they have. */
  readonly #mute = new Set<ConnectionId>()
  /** Who said that they have more while somebody else was asked: anybody can say so, and nobody is interrupted for it. */
  readonly #richer = new Set<ConnectionId>()
  #waiting: ReturnType<typeof setTimeout> | undefined

  constructor(options: ExchangeOptions) {
    this.#options = options
    this.#answers = new StateAnswers({ ...options, hasMore: (connection) => this.#hasMore(connection) })
  }

  /** Asks one of those who are here for what this device lacks; when they stay silent, another. */
  ask(): void {
    if (this.#asked) return
    const others = [...this.#bestFirst(), ...this.#richer]
    const next = others.find((other) => !this.#mute.has(other))
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
    if (part.kind === 'question' && this.#options.keys.role !== 'observer') this.#answers.hear(from, part)
  }

  left(connection: ConnectionId): void {
    this.#answers.left(connection)
    this.#richer.delete(connection)
    if (this.#asked?.of === connection) this.#giveUp()
  }

  stop(): void {
    this.#answers.stop()
    clearTimeout(this.#waiting)
  }

  /** Those who have something else than this device, and last those who follow only: they cannot answer. */
  #bestFirst(): ConnectionId[] {
    const { others, digest } = this.#options
    const own = digest()
    const rank = (presence: Presence | undefined) => {
      const differs = presence?.digest && !(own && equalBytes(presence.digest, own))
      return (presence?.participant ? 0 : 2) + (differs ? 0 : 1)
    }
    return [...others()].sort(([, a], [, b]) => rank(a) - rank(b)).map(([connection]) => connection)
  }

  #askOne(of: ConnectionId): void {
    clearTimeout(this.#waiting)
    this.#richer.delete(of)
    const nonce = randomBytes(16)
    this.#asked = { of, nonce, parts: new PartCollector() }
    this.#waiting = setTimeout(() => this.#giveUp(), patience)
    const stateVector = Y.encodeStateVector(this.#options.doc)
    for (const part of encodeQuestion({ nonce, stateVector })) this.#options.send(part, of)
  }

  #hasMore(connection: ConnectionId): void {
    if (this.#mute.has(connection)) return
    if (!this.#asked) this.#askOne(connection)
    else if (this.#asked.of !== connection && this.#richer.size < mostRicher) this.#richer.add(connection)
  }

  #take(bytes: Uint8Array): void {
    const answer = decodeAnswer(bytes)
    const asked = this.#asked
    const { keys, apply } = this.#options
    if (!asked || !answer || !equalBytes(answer.nonce, asked.nonce)) return
    if (!isAnswerOfWriter(keys, answer) || !isAcceptable(answer.update)) return this.#giveUp()
    clearTimeout(this.#waiting)
    this.#asked = undefined
    if (!answer.more) this.#mute.clear()
    apply(answer.update)
    const [richer] = this.#richer
    const next = answer.more ? asked.of : richer
    if (next !== undefined) this.#askOne(next)
  }

  #giveUp(): void {
    clearTimeout(this.#waiting)
    if (this.#asked) this.#mute.add(this.#asked.of)
    this.#asked = undefined
    this.ask()
  }
}
