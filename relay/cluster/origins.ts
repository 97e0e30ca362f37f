import { existsSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { SessionId } from '../../shared/id.ts'
import type { Meters } from '../operators/meters.ts'
import type { Reporter } from '../operators/report.ts'
import { committedTo } from '../operators/traces.ts'
import type { Config } from '../settings/config.ts'
import { SetupError } from '../settings/setup-error.ts'
import { databaseName } from '../store/database.ts'
import { openSqliteStore } from '../store/sqlite-store.ts'
import type { CheckedTable } from '../store/store-protocol.ts'
import type { Offer } from './copies.ts'
import { Deletions } from './deletions.ts'
import { offersFrom } from './fetch-copy.ts'
import { fill, fillBeside, lackedShards, type Wish } from './fill.ts'
import { Follower, type OriginStore } from './follower.ts'
import { Mirrors } from './mirrors.ts'
import type { Region } from './region.ts'
import { originsHere, provideStream, regionOf, streamOf } from './streams.ts'
import { tellCopied } from './tell-copied.ts'

/** How often this region's streams are looked at: one may have been lost, and others may be reached for the first time. */
const lookEveryMs = 5_000
/** How long a store that lacks something waits at its start for another one that has it. */
const ordinaryPatience = 30_000
/** How long a store that could not copy what others have read further, or has no room for it, leaves them alone. */
const pauseMs = 600_000
/** At so many looks a gap is tried to be filled: whoever has what came in it may just be starting again, or be cut off for a moment. */
const mostGapTries = 4
const words =
  'This region has sessions that are older than its stream, and no other store that answers has them. Start a store of these SHARDS that has them, or restore a backup of one (facedown restore), or set BEGIN_EMPTY=1 to do without them'
const failedWords =
  'This region has sessions that are older than its stream, and no copy of them came from a store that has them: what failed says why. Mend that and start again. Only when they are lost, restore a backup of such a store (facedown restore), or set BEGIN_EMPTY=1 to do without them'
const lostWords =
  'NATS has come back without the end of this region’s stream, which stores have read already. Its rest was removed and a new stream begins'
const silentWords = 'NATS does not say which streams it has. Look after its JetStream, then start again'

/** No origin has such a name. */
const deletions = 'deletions'

const nothing: ReadonlySet<number> = new Set()

/** One log of all sessions: what was said in one stream. */
export interface Kept {
  readonly store: OriginStore
  /** Where its database lies. */
  readonly folder: string
  /** False when shards of this store are missing in it, which another one must not take for all there is. */
  readonly isWhole: boolean
  /** Undefined while its stream is gone: then it is only read. */
  follower: Follower | undefined
  /** Shards of which another store had read more of what the stream has no more. */
  lacked: ReadonlySet<number>
  /** What its stream has no more, and this store had not read, is not looked for: nobody who answered had it. */
  isGivenUp: boolean
  /** Where a gap ends that was found before its stream was read. */
  gapEnd?: number | undefined
  /** How often a gap could not be filled. */
  gapTries: number
}

/** The databases of this process, one for each origin: another stream has other sequences. */
export class Origins {
  readonly #region: Region
  readonly #config: Config
  readonly #report: Reporter
  readonly #meters: Meters
  readonly #kept = new Map<string, Kept>()
  readonly #folders = new Set<string>()
  readonly #mirrors: Mirrors
  readonly #deletions: Deletions
  /** What others offered of streams that are gone, and this store has taken as far as it could. */
  readonly #taken = new Set<string>()
  /** By origin: when others are asked again for what its stream has no more. */
  readonly #takeAgainAt = new Map<string, number>()
  /** By origin, and of the spreading of deletions: what has gone wrong. */
  readonly #failures = new Map<string, Set<string>>()
  readonly #closing = new AbortController()
  #looking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  private constructor(region: Region, config: Config, report: Reporter, meters: Meters) {
    this.#region = region
    this.#config = config
    this.#report = report
    this.#meters = meters
    const others = config.regions.filter(({ name }) => name !== region.name)
    this.#mirrors = new Mirrors(
      region,
      others.map(({ name }) => name),
      (error) => this.#failed(error),
    )
    this.#deletions = new Deletions(region, this)
  }

  /** Rejects with a `SetupError` when a database cannot be opened, or nobody has what this store should. */
  static async open(
    region: Region,
    config: Config,
    report: Reporter,
    meters: Meters,
    patience = ordinaryPatience,
  ): Promise<Origins> {
    const origins = new Origins(region, config, report, meters)
    try {
      await origins.#begin(patience)
    } catch (error) {
      await origins.close()
      throw error
    }
    // One at a time: filling may take long, and so does everything without NATS.
    const look = () => {
      origins.#looking ??= origins.#look().finally(() => {
        origins.#looking = undefined
      })
    }
    origins.#timer = setInterval(look, lookEveryMs).unref()
    look()
    return origins
  }

  get folders(): readonly string[] {
    return [...this.#folders]
  }

  get all(): Iterable<Kept> {
    return this.#kept.values()
  }

  /** How far this store is behind each region's stream: what its mirror lacks, and what is there and not applied. */
  get lags(): ReadonlyMap<string, number> {
    const lags = new Map<string, number>()
    for (const { store, follower } of this.#kept.values()) {
      if (!follower) continue
      const region = regionOf(store.origin)
      const lag = follower.lag + this.#mirrors.lagOf(store.origin)
      lags.set(region, (lags.get(region) ?? 0) + lag)
    }
    return lags
  }

  of(origin: string): Kept | undefined {
    return this.#kept.get(origin)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#closing.abort()
    await this.#looking
    for (const { store, follower } of this.#kept.values()) {
      await follower?.stop()
      await store.close()
    }
    this.#kept.clear()
  }

  async #look(): Promise<void> {
    const { manager, name } = this.#region
    for (const { store, follower } of this.#kept.values())
      if (await follower?.lostItsEnd().catch(() => false)) await this.#removeStream(store.origin)
    await provideStream(manager, name).catch(() => {}) // without NATS everything stays as it is
    await this.#mirrors.provide((origin) => this.#kept.get(origin)?.follower)
    const isServing = true
    await this.#follow(isServing).catch((error: unknown) => this.#failed(error))
    await this.#spreadDeletions()
    await this.#mirrors.noteLags()
  }

  async #spreadDeletions(): Promise<void> {
    try {
      await this.#deletions.spread()
      this.#failures.delete(deletions)
    } catch (error) {
      this.#failedWith(deletions, error)
    }
  }

  /** One without its end is no better than one that was lost as a whole: what stores keep of it is still read. */
  async #removeStream(origin: string): Promise<void> {
    try {
      await this.#region.manager.streams.delete(streamOf(origin))
      this.#failed(lostWords)
    } catch {
      // Another store was quicker, or NATS is away again.
    }
  }

  /** First of all whatever this store can have: relays ask it as soon as this is done. */
  async #begin(patience: number): Promise<void> {
    const { dataDir } = this.#config
    if (existsSync(join(dataDir, databaseName))) await this.#open(dataDir)
    const end = performance.now() + patience
    for (;;) {
      const isComplete = await this.#follow()
      if (isComplete) return
      if (performance.now() > end)
        throw new SetupError(isComplete === undefined ? silentWords : this.#lackWords)
      await wait(1_000)
    }
  }

  get #lackWords(): string {
    return this.#failures.size > 0 ? failedWords : words
  }

  /**
   * Follows every stream there is, and lets go of those that are gone. False while something of this region is missing, undefined when
   * NATS does not say what there is.
   */
  async #follow(isServing = false): Promise<boolean | undefined> {
    const all = await originsHere(this.#region.manager).catch(() => undefined)
    if (!all) return undefined
    const here = all.filter((origin) => !this.#mirrors.hasEnded(origin))
    const offers = await offersFrom(this.#region.connection, this.#regions)
    let isComplete = true
    for (const origin of this.#known(here, offers)) {
      if (isServing && !this.#kept.has(origin) && this.#isTooEarly(origin)) continue
      const keeping = this.#keep(origin, here, offers, isServing)
      const kept = await (isServing ? this.#orFailed(origin, keeping) : keeping)
      if (!kept && regionOf(origin) === this.#region.name) isComplete = false
    }
    for (const [origin, kept] of this.#kept)
      if (!here.includes(origin)) await this.#orFailed(origin, this.#leave(kept, offers, isServing))
    return isComplete
  }

  /** Follows a stream that is here. Undefined while something of it is missing. */
  async #keep(
    origin: string,
    here: readonly string[],
    offers: readonly Offer[],
    isServing: boolean,
  ): Promise<Kept | undefined> {
    const kept = this.#kept.get(origin) ?? (await this.#fill(origin, offers))
    if (!kept || !here.includes(origin)) return kept
    const follower = kept.follower ?? (await this.#startFollowing(kept))
    const isOvertaken = await follower.isOvertaken()
    kept.lacked = isOvertaken ? lackedShards(offers, origin, follower.upTo, this.#config.shards) : nothing
    const { gapEnd } = follower
    if (gapEnd === undefined || !isServing) return kept
    await follower.stop()
    // Not when NATS, or the other region's, was only away for a moment and so did not say what its stream has.
    if (isOvertaken && !(await this.#fillGap(kept, follower.upTo, gapEnd, offers))) return kept
    await this.#startFollowing(kept)
    kept.lacked = nothing
    return kept
  }

  async #startFollowing(kept: Kept): Promise<Follower> {
    const { store, isGivenUp, gapEnd } = kept
    const deleted = (session: SessionId) => this.#deletions.spreadFrom(store.origin, session)
    const failed = (error: unknown) => this.#failed(error)
    const following = { isGivenUp, gapEnd, deleted, failed }
    kept.follower = await Follower.start(this.#region, store, this.#config.shards, following)
    kept.isGivenUp = false
    kept.gapEnd = undefined
    kept.gapTries = 0
    return kept.follower
  }

  /**
   * What a stream lost before this store had read it comes from others that had. Otherwise people's devices bring it back. False when it
   * is to be tried again.
   */
  async #fillGap(kept: Kept, upTo: number, gapEnd: number, offers: readonly Offer[]): Promise<boolean> {
    const { store, folder } = kept
    const region = regionOf(store.origin)
    if (this.#isTooEarly(store.origin)) return false
    const isLast = kept.gapTries + 1 >= mostGapTries
    const wish = { ...this.#wish(store.origin, folder, offers), beginEmpty: false, takesPart: isLast }
    const filling = await fillBeside(this.#region, wish, gapEnd).finally(() => store.forget())
    if (filling.copied) await this.#noteCopied(kept, upTo)
    if (filling.outcome === 'whole') return true
    if (filling.isForRoom) {
      this.#takeLater(store.origin)
      return false
    }
    kept.gapTries++
    if (!isLast) return false
    kept.isGivenUp = true
    this.#report({ event: 'incomplete', region })
    return true
  }

  async #noteCopied(kept: Kept, upTo?: number): Promise<void> {
    this.#report({ event: 'copied', region: regionOf(kept.store.origin) })
    this.#deletions.noteCopied()
    await tellCopied(this.#region, kept, upTo)
  }

  /** What goes wrong with one origin is tried again at the next look, and keeps the store from no other one. */
  async #orFailed<Done>(origin: string, work: Promise<Done>): Promise<Done | undefined> {
    try {
      const done = await work
      if (this.#kept.has(origin)) this.#failures.delete(origin)
      return done
    } catch (error) {
      this.#closing.signal.throwIfAborted()
      this.#failedWith(origin, error)
      return undefined
    }
  }

  /** Said once, however often it is tried again, until what it failed with is well. */
  #failedWith(what: string, error: unknown): void {
    const said = this.#failures.get(what) ?? new Set()
    this.#failures.set(what, said)
    if (!said.has(String(error))) this.#failed(error)
    said.add(String(error))
  }

  /** Lets go of a stream that is gone. What this store had not read of it by then, it takes from those who had. */
  async #leave(kept: Kept, offers: readonly Offer[], isServing: boolean): Promise<void> {
    // At first the others do not know either that nothing more comes.
    const isKnown = kept.follower === undefined
    await kept.follower?.stop()
    kept.follower = undefined
    const { origin } = kept.store
    const nameOf = ({ subject, origins }: Offer) => `${origin} ${subject} ${origins.get(origin)}`
    const open = offers.filter((offer) => !this.#taken.has(nameOf(offer)))
    const { sequence } = await kept.store.applied()
    kept.lacked = lackedShards(open, origin, sequence, this.#config.shards)
    if (!isServing || !isKnown || kept.lacked.size === 0) return
    if (this.#isTooEarly(origin)) return
    this.#takeLater(origin)
    const wish = this.#wish(origin, kept.folder, open)
    const filling = await fillBeside(this.#region, wish).finally(() => kept.store.forget())
    if (filling.copied) await this.#noteCopied(kept, sequence)
    if (filling.outcome === 'lacks') return
    this.#takeAgainAt.delete(origin)
    for (const offer of open) this.#taken.add(nameOf(offer))
    kept.lacked = nothing
  }

  #isTooEarly(origin: string): boolean {
    return performance.now() < (this.#takeAgainAt.get(origin) ?? 0)
  }

  #takeLater(origin: string): void {
    this.#takeAgainAt.set(origin, performance.now() + pauseMs)
  }

  /** Origins whose streams are here, that this store had before, or that other stores have. */
  #known(here: readonly string[], offers: readonly Offer[]): ReadonlySet<string> {
    // Others may use the same NATS, with regions of their own.
    const ours = here.filter((origin) => this.#regions.includes(regionOf(origin)))
    const theirs = offers.flatMap(({ origins }) => [...origins.keys()])
    return new Set([...ours, ...foldersIn(this.#config.dataDir), ...theirs])
  }

  /** Opens the database of an origin once it has what it should; undefined until then. */
  async #fill(origin: string, offers: readonly Offer[]): Promise<Kept | undefined> {
    const folder = join(this.#config.dataDir, origin)
    const filling = await fill(this.#region, this.#wish(origin, folder, offers))
    const region = regionOf(origin)
    if (filling.outcome === 'whole') {
      const kept = await this.#open(folder, origin, { isGivenUp: this.#config.beginEmpty })
      if (filling.copied) await this.#noteCopied(kept)
      return kept
    }
    if (filling.isForRoom) this.#takeLater(origin)
    if (filling.what === 'everything' && filling.isEmpty) await rm(folder, { recursive: true, force: true })
    // What was missed while this store was off, people's devices bring back: better than a store that does not start.
    const isLeft = filling.what === 'a time' || (filling.what === 'shards' && region !== this.#region.name)
    if (!isLeft) return undefined
    // Whoever has it may just be starting, too, and room may be made: it is looked for while this store serves.
    const { gapEnd } = filling
    const isGivenUp = gapEnd === undefined && (filling.what === 'shards' || !filling.isForRoom)
    if (isGivenUp) this.#report({ event: 'incomplete', region })
    const kept = await this.#open(folder, origin, { isWhole: filling.what !== 'shards', isGivenUp, gapEnd })
    if (filling.copied) await this.#noteCopied(kept)
    return kept
  }

  #wish(origin: string, dataDir: string, offers: readonly Offer[]): Wish {
    const { shards, beginEmpty, diskReserve } = this.#config
    const { signal } = this.#closing
    const failed = (error: unknown) => this.#failedWith(origin, error)
    const damaged = (table: CheckedTable) => this.#report({ event: 'damagedRow', table })
    const takesPart = true
    return { dataDir, origin, shards, offers, beginEmpty, takesPart, diskReserve, failed, damaged, signal }
  }

  #failed(error: unknown): void {
    if (!this.#closing.signal.aborted) this.#report({ event: 'failed', error: String(error) })
  }

  get #regions(): readonly string[] {
    const { region, regions } = this.#config
    return [region, ...regions.map(({ name }) => name)]
  }

  async #open(
    dataDir: string,
    origin?: string,
    {
      isWhole = true,
      isGivenUp = false,
      gapEnd,
    }: Partial<Pick<Kept, 'isWhole' | 'isGivenUp' | 'gapEnd'>> = {},
  ): Promise<Kept> {
    const store = await openSqliteStore(
      { ...this.#config, dataDir, origin },
      this.#report,
      committedTo(this.#meters, this.#region.traces),
    )
    const kept = {
      store,
      folder: dataDir,
      isWhole,
      follower: undefined,
      lacked: nothing,
      isGivenUp,
      gapEnd,
      gapTries: 0,
    }
    this.#folders.add(dataDir)
    this.#kept.set(store.origin, kept)
    return kept
  }
}

/** The origins of the databases that lie in folders of their own. */
function foldersIn(dataDir: string): string[] {
  if (!existsSync(dataDir)) return []
  return readdirSync(dataDir).filter((name) => existsSync(join(dataDir, name, databaseName)))
}
