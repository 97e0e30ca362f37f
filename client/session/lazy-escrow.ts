import type { RoundId, SealId } from '../../shared/id.ts'
import type { RecordOf } from '../../shared/record.ts'
import type { EscrowLink } from '../link/link-options.ts'
import type { SessionCore } from './core.ts'
import type { Escrow } from './escrow.ts'

/** Fetches the escrow once there is a vote and a store to deposit its key with, or something to read: the first view does not wait for it. */
export class LazyEscrow implements EscrowLink {
  readonly #core: SessionCore
  #escrow: Escrow | undefined
  #loading: Promise<Escrow> | undefined
  /** Bodies that came before it was here. */
  #unread = 0

  constructor(core: SessionCore) {
    this.#core = core
  }

  keeps(seal: SealId): boolean {
    return this.#escrow?.keeps(seal) ?? false
  }

  /** Of a first vote the key follows once the escrow is here. */
  depositFor(round: RecordOf<'round'>): void {
    this.#escrow?.depositFor(round)
  }

  consider(): void {
    if (this.#escrow) return this.#escrow.consider()
    const { ledger, link, mayWrite } = this.#core
    if (mayWrite && ledger.hasSeals && link?.connection)
      void this.#load().then((escrow) => escrow.consider(), notNow)
  }

  askFor(round: RoundId): void {
    void this.#load().then((escrow) => escrow.askFor(round, this.#core.here), notNow)
  }

  deposited(seal: SealId, kept: boolean): void {
    this.#escrow?.deposited(seal, kept)
  }

  refused(): void {
    this.#escrow?.refused()
  }

  released(body: Uint8Array): void {
    this.#unread++
    void this.#load().then((escrow) => {
      this.#unread--
      escrow.released(body)
    }, notNow)
  }

  get holds(): boolean {
    return this.#unread > 0 || (this.#escrow?.holds ?? false)
  }

  stop(): void {
    this.#escrow?.stop()
  }

  async #load(): Promise<Escrow> {
    this.#loading ??= import('./escrow.ts').then(({ Escrow }) => new Escrow(this.#core))
    try {
      this.#escrow = await this.#loading
      return this.#escrow
    } catch (error) {
      this.#loading = undefined // without a network; what is unread is read again on the next visit
      throw error
    }
  }
}

/** It is tried again with the next change. */
function notNow(): void {}
