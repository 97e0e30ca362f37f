import { setTimeout as wait } from 'node:timers/promises'
import type { Reached } from '../store/store-protocol.ts'
import type { Region } from './region.ts'
import { lastGiven, regionOf, saidAt } from './streams.ts'

const retryMs = 1_000

/**
 * Whether its region's stream ends before what was read of it here, or goes on otherwise: NATS acknowledges before it fsyncs, and
 * may come back without its end, or with an older disk. The numbers of what is missing are given out again. A mirror fetches what it
 * lost, so of another region's this is never said.
 */
export class StreamEnd {
  readonly #region: Region
  readonly #origin: string
  readonly #isOwn: boolean
  #isLost = false
  /** When it was looked at last, the stream ended before what was read. */
  #isShort = false

  private constructor(region: Region, origin: string) {
    this.#region = region
    this.#origin = origin
    this.#isOwn = regionOf(origin) === region.name
  }

  /** Rejects when NATS does not say what the stream has where it was read last: it may have lost its end, and have grown past it since. */
  static async after(region: Region, origin: string, last: Reached): Promise<StreamEnd> {
    const end = new StreamEnd(region, origin)
    if (end.#isOwn) end.#isLost = await end.#goesOnOtherwise(last)
    return end
  }

  get isLost(): boolean {
    return this.#isLost
  }

  /**
   * Looks how far the stream goes. Of a shorter one it is said the second time: in a cluster of NATS servers whoever has just begun to
   * lead may not know yet what it has.
   */
  async look({ sequence }: Reached): Promise<boolean> {
    if (!this.#isOwn) return false
    const wasShort = this.#isShort
    this.#isShort = (await lastGiven(this.#region.manager, this.#origin)) < sequence
    return this.#isLost || (this.#isShort && wasShort)
  }

  /** Compares what was read last with what the stream has there; waits while NATS is away. */
  async compare(last: Reached, signal: AbortSignal): Promise<void> {
    while (this.#isOwn && !signal.aborted) {
      try {
        this.#isLost ||= await this.#goesOnOtherwise(last)
        return
      } catch {
        await wait(retryMs)
      }
    }
  }

  /** The stream said again what was read last, or what came before. Nobody knows whether that is the same if it is not known when it was said. */
  noteAgain({ said }: Reached): void {
    this.#isLost ||= this.#isOwn && said === undefined
  }

  async #goesOnOtherwise({ sequence, said }: Reached): Promise<boolean> {
    const there = said === undefined ? undefined : await saidAt(this.#region.manager, this.#origin, sequence)
    // The client rounds nanoseconds that no number holds.
    return said !== undefined && there !== undefined && Math.abs(there - said) > 1
  }
}
