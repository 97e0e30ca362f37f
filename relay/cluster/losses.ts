import type { Region } from './region.ts'
import { type Extent, extentAtHome, extentOf, regionOf } from './streams.ts'

/** What a stream has lost of what was said in it, otherwise than with a session its owner deleted. */
export class Losses {
  readonly #region: Region
  readonly #origin: string
  /** What came over the link from there to there is all that was said. */
  #known: Extent = { from: 0, upTo: 0 }

  constructor(region: Region, origin: string) {
    this.#region = region
    this.#origin = origin
  }

  /**
   * Whether it has lost what comes after a sequence, of what it was told before the message `next`. A mirror lacks what its stream had lost
   * before, too: where that one cannot be asked it is taken for lost. It is asked once for all that the mirror has by then, however many
   * holes deletions have left there.
   */
  async areBehind(sequence: number, next = Number.POSITIVE_INFINITY): Promise<boolean> {
    try {
      const here = await extentOf(this.#region.manager, this.#origin)
      if (!here || isLost(here, sequence)) return true
      if (regionOf(this.#origin) === this.#region.name) return false
      if (sequence + 1 >= this.#known.from && next <= this.#known.upTo) return false
      const there = await extentAtHome(this.#region, this.#origin)
      if (!there || isLost(there, sequence)) return true
      this.#known = { from: there.from, upTo: here.upTo }
      return false
    } catch {
      return true
    }
  }
}

function isLost({ from }: Extent, sequence: number): boolean {
  return sequence + 1 < from
}
