import type { Asker, Deposit } from '../../shared/escrow.ts'
import type { SealId } from '../../shared/id.ts'
import type { FromClient } from '../../shared/wire.ts'
import type { EscrowLink } from './link-options.ts'

/** What a connection has asked a store's escrow for, and what the escrow's answers are about. */
export class EscrowAsks {
  readonly #escrow: EscrowLink | undefined
  readonly #nextRef: () => number
  readonly #send: (message: FromClient) => void
  /** By ref: deposits with their seals, and releases. */
  readonly #asked = new Map<number, SealId | 'release'>()

  constructor(escrow: EscrowLink | undefined, nextRef: () => number, send: (message: FromClient) => void) {
    this.#escrow = escrow
    this.#nextRef = nextRef
    this.#send = send
  }

  deposit(seal: SealId, deposit: Deposit): void {
    this.#send({ type: 'deposit', ref: this.#ask(seal), ...deposit })
  }

  release(round: Uint8Array, asker: Asker): void {
    this.#send({ type: 'release', ref: this.#ask('release'), round, asker })
  }

  /** False when the answer is to something else. */
  answered(ref: number, answer: 'kept' | 'closed' | 'refused'): boolean {
    const asked = this.#asked.get(ref)
    if (!asked) return false
    this.#asked.delete(ref)
    if (asked !== 'release') this.#escrow?.deposited(asked, answer === 'kept')
    if (answer === 'refused') this.#escrow?.refused()
    return true
  }

  #ask(about: SealId | 'release'): number {
    const ref = this.#nextRef()
    this.#asked.set(ref, about)
    return ref
  }
}
