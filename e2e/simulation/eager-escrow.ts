import type { SessionCore } from '../../client/session/core.ts'
import { Escrow } from '../../client/session/escrow.ts'
import type { RoundId, SealId } from '../../shared/id.ts'
import type { RecordOf } from '../../shared/record.ts'

/** Stands for the escrow that is fetched when it is needed: fetching takes real time, which a simulation does not have. */
export class LazyEscrow {
  readonly #core: SessionCore
  #here: Escrow | undefined

  constructor(core: SessionCore) {
    this.#core = core
  }

  get holds(): boolean {
    return this.#escrow.holds
  }

  keeps(seal: SealId): boolean {
    return this.#escrow.keeps(seal)
  }

  depositFor(round: RecordOf<'round'>): void {
    this.#escrow.depositFor(round)
  }

  consider(): void {
    this.#escrow.consider()
  }

  askFor(round: RoundId): void {
    this.#escrow.askFor(round, this.#core.here)
  }

  deposited(seal: SealId, kept: boolean): void {
    this.#escrow.deposited(seal, kept)
  }

  refused(): void {
    this.#escrow.refused()
  }

  released(body: Uint8Array): void {
    this.#escrow.released(body)
  }

  stop(): void {
    this.#here?.stop()
  }

  get #escrow(): Escrow {
    this.#here ??= new Escrow(this.#core)
    return this.#here
  }
}
