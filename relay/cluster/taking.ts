import { rm } from 'node:fs/promises'
import type { Reporter } from '../operators/report.ts'
import type { Config } from '../settings/config.ts'
import type { CheckedTable } from '../store/store-protocol.ts'
import type { Offer } from './copies.ts'
import type { Deletions } from './deletions.ts'
import type { Failures } from './failures.ts'
import { type Filling, fill, fillBeside, lackedShards, type Wish } from './fill.ts'
import type { Kept } from './kept.ts'
import type { Region } from './region.ts'
import { regionOf } from './streams.ts'
import { tellCopied } from './tell-copied.ts'

/** How long a store that could not copy what others have read further, or has no room for it, leaves them alone. */
const pauseMs = 600_000
/** At so many looks a gap is tried to be filled: whoever has what came in it may just be starting again, or be cut off for a moment. */
const mostGapTries = 4

const nothing: ReadonlySet<number> = new Set()

/** What a database has of an origin once it was filled, as far as it could be. */
export interface Taken extends Pick<Kept, 'isWhole' | 'isGivenUp' | 'gapEnd'> {
  /** Some of it came from others. */
  readonly copied: boolean
}

interface Surroundings {
  readonly region: Region
  readonly config: Config
  readonly report: Reporter
  readonly failures: Failures
  readonly deletions: Pick<Deletions, 'noteCopied'>
  readonly signal: AbortSignal
}

/** What this store takes from others because no stream says it any more, and when it leaves them alone. */
export class Taking {
  readonly #around: Surroundings
  /** What others offered of streams that are gone, and this store has taken as far as it could. */
  readonly #taken = new Set<string>()
  /** By origin: when others are asked again for what its stream has no more. */
  readonly #againAt = new Map<string, number>()

  constructor(around: Surroundings) {
    this.#around = around
  }

  isTooEarly(origin: string): boolean {
    return performance.now() < (this.#againAt.get(origin) ?? 0)
  }

  /** What a database should have before its store answers for it. Undefined while too much of it is missing for that. */
  async beforeOpening(origin: string, folder: string, offers: readonly Offer[]): Promise<Taken | undefined> {
    const filling = await fill(this.#around.region, this.#wish(origin, folder, offers))
    const { copied } = filling
    if (filling.outcome === 'whole')
      return { copied, isWhole: true, isGivenUp: this.#around.config.beginEmpty, gapEnd: undefined }
    if (filling.isForRoom) this.#takeLater(origin)
    if (filling.what === 'everything' && filling.isEmpty) await rm(folder, { recursive: true, force: true })
    // What was missed while this store was off, people's devices bring back: better than a store that does not start.
    const region = regionOf(origin)
    const isLeft =
      filling.what === 'a time' || (filling.what === 'shards' && region !== this.#around.region.name)
    if (!isLeft) return undefined
    // Whoever has it may just be starting, too, and room may be made: it is looked for while this store serves.
    const { gapEnd } = filling
    const isGivenUp = gapEnd === undefined && (filling.what === 'shards' || !filling.isForRoom)
    if (isGivenUp) this.#around.report({ event: 'incomplete', region })
    return { copied, isWhole: filling.what !== 'shards', isGivenUp, gapEnd }
  }

  /**
   * What a stream lost before this store had read it comes from others that had. Otherwise people's devices bring it back. False when it
   * is to be tried again.
   */
  async gap(kept: Kept, upTo: number, gapEnd: number, offers: readonly Offer[]): Promise<boolean> {
    const { origin } = kept.store
    if (this.isTooEarly(origin)) return false
    const isLast = kept.gapTries + 1 >= mostGapTries
    const wish = { ...this.#wish(origin, kept.folder, offers), beginEmpty: false, takesPart: isLast }
    const filling = await this.#beside(kept, upTo, wish, gapEnd)
    if (filling.outcome === 'whole') return true
    if (filling.isForRoom) {
      this.#takeLater(origin)
      return false
    }
    kept.gapTries++
    if (!isLast) return false
    kept.isGivenUp = true
    this.#around.report({ event: 'incomplete', region: regionOf(origin) })
    return true
  }

  /** What others had read further of a stream that is gone. */
  async rest(kept: Kept, offers: readonly Offer[]): Promise<void> {
    const { origin } = kept.store
    const open = this.#open(origin, offers)
    if (kept.lacked.size === 0 || this.isTooEarly(origin)) return
    this.#takeLater(origin)
    const { sequence } = await kept.store.applied()
    const filling = await this.#beside(kept, sequence, this.#wish(origin, kept.folder, open))
    if (filling.outcome === 'lacks') return
    this.#againAt.delete(origin)
    for (const offer of open) this.#taken.add(nameOf(offer, origin))
    kept.lacked = nothing
  }

  /** Of which shards others have read further of a stream that is gone, and this store has not taken it yet. */
  async noteLacked(kept: Kept, offers: readonly Offer[]): Promise<void> {
    const { sequence } = await kept.store.applied()
    const { origin } = kept.store
    kept.lacked = lackedShards(this.#open(origin, offers), origin, sequence, this.#around.config.shards)
  }

  /** `upTo` is how far this store had read before, undefined where it told nobody anything yet. */
  async tell(kept: Kept, upTo?: number): Promise<void> {
    const { report, deletions, region } = this.#around
    report({ event: 'copied', region: regionOf(kept.store.origin) })
    deletions.noteCopied()
    await tellCopied(region, kept, upTo)
  }

  /** While its store serves, which has read up to `upTo`. */
  async #beside(kept: Kept, upTo: number, wish: Wish, gapEnd?: number): Promise<Filling> {
    const { store } = kept
    const filling = await fillBeside(this.#around.region, wish, gapEnd).finally(() => store.forget())
    if (filling.copied) await this.tell(kept, upTo)
    return filling
  }

  #open(origin: string, offers: readonly Offer[]): readonly Offer[] {
    return offers.filter((offer) => !this.#taken.has(nameOf(offer, origin)))
  }

  #takeLater(origin: string): void {
    this.#againAt.set(origin, performance.now() + pauseMs)
  }

  #wish(origin: string, dataDir: string, offers: readonly Offer[]): Wish {
    const { config, report, failures, signal } = this.#around
    const { shards, beginEmpty, diskReserve } = config
    const failed = (error: unknown) => failures.sayOnce(origin, error)
    const damaged = (table: CheckedTable) => report({ event: 'damagedRow', table })
    const takesPart = true
    return { dataDir, origin, shards, offers, beginEmpty, takesPart, diskReserve, failed, damaged, signal }
  }
}

function nameOf({ subject, origins }: Offer, origin: string): string {
  return `${origin} ${subject} ${origins.get(origin)}`
}
