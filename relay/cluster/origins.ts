import { existsSync, readdirSync } from 'node:fs'
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
import type { Offer } from './copies.ts'
import { Deletions } from './deletions.ts'
import { Failures } from './failures.ts'
import { offersFrom } from './fetch-copy.ts'
import { lackedShards } from './fill.ts'
import { Follower } from './follower.ts'
import type { Kept } from './kept.ts'
import { Mirrors } from './mirrors.ts'
import type { Region } from './region.ts'
import { originsHere, provideStream, regionOf, streamOf } from './streams.ts'
import { Taking } from './taking.ts'

/** How often this region's streams are looked at: one may have been lost, and others may be reached for the first time. */
const lookEveryMs = 5_000
/** How long a store that lacks something waits at its start for another one that has it. */
const ordinaryPatience = 30_000
const words =
  'This region has sessions that are older than its stream, and no other store that answers has them. Start a store of these SHARDS that has them, or restore a backup of one (facedown restore), or set BEGIN_EMPTY=1 to do without them'
const failedWords =
  'This region has sessions that are older than its stream, and no copy of them came from a store that has them: what failed says why. Mend that and start again. Only when they are lost, restore a backup of such a store (facedown restore), or set BEGIN_EMPTY=1 to do without them'
const lostWords =
  'NATS has come back without the end of this region’s stream, which stores have read already. Its rest was removed and a new stream begins'
const silentWords = 'NATS does not say which streams it has. Look after its JetStream, then start again'

/** No origin has such a name. */
const ofDeletions = 'deletions'

const nothing: ReadonlySet<number> = new Set()

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
  readonly #taking: Taking
  readonly #closing = new AbortController()
  /** By origin, and of the spreading of deletions. */
  readonly #failures: Failures
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
      (error) => this.#failures.say(error),
    )
    const { signal } = this.#closing
    this.#deletions = new Deletions(region, this)
    this.#failures = new Failures(report, signal)
    const [deletions, failures] = [this.#deletions, this.#failures]
    this.#taking = new Taking({ region, config, report, failures, deletions, signal })
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
    await this.#follow(isServing).catch((error: unknown) => this.#failures.say(error))
    await this.#spreadDeletions()
    await this.#mirrors.noteLags()
  }

  async #spreadDeletions(): Promise<void> {
    try {
      await this.#deletions.spread()
      this.#failures.noteWell(ofDeletions)
    } catch (error) {
      this.#failures.sayOnce(ofDeletions, error)
    }
  }

  /** One without its end is no better than one that was lost as a whole: what stores keep of it is still read. */
  async #removeStream(origin: string): Promise<void> {
    try {
      await this.#region.manager.streams.delete(streamOf(origin))
      this.#failures.say(lostWords)
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
    return this.#failures.areAny ? failedWords : words
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
      if (isServing && !this.#kept.has(origin) && this.#taking.isTooEarly(origin)) continue
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
    if (isOvertaken && !(await this.#taking.gap(kept, follower.upTo, gapEnd, offers))) return kept
    await this.#startFollowing(kept)
    kept.lacked = nothing
    return kept
  }

  async #startFollowing(kept: Kept): Promise<Follower> {
    const { store, isGivenUp, gapEnd } = kept
    const deleted = (session: SessionId) => this.#deletions.spreadFrom(store.origin, session)
    const failed = (error: unknown) => this.#failures.say(error)
    const following = { isGivenUp, gapEnd, deleted, failed }
    kept.follower = await Follower.start(this.#region, store, this.#config.shards, following)
    kept.isGivenUp = false
    kept.gapEnd = undefined
    kept.gapTries = 0
    return kept.follower
  }

  /** What goes wrong with one origin is tried again at the next look, and keeps the store from no other one. */
  async #orFailed<Done>(origin: string, work: Promise<Done>): Promise<Done | undefined> {
    try {
      const done = await work
      if (this.#kept.has(origin)) this.#failures.noteWell(origin)
      return done
    } catch (error) {
      this.#closing.signal.throwIfAborted()
      this.#failures.sayOnce(origin, error)
      return undefined
    }
  }

  /** Lets go of a stream that is gone. What this store had not read of it by then, it takes from those who had. */
  async #leave(kept: Kept, offers: readonly Offer[], isServing: boolean): Promise<void> {
    // At first the others do not know either that nothing more comes.
    const isKnown = kept.follower === undefined
    await kept.follower?.stop()
    kept.follower = undefined
    await this.#taking.noteLacked(kept, offers)
    if (isServing && isKnown) await this.#taking.rest(kept, offers)
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
    const taken = await this.#taking.beforeOpening(origin, folder, offers)
    if (!taken) return undefined
    const kept = await this.#open(folder, origin, taken)
    if (taken.copied) await this.#taking.tell(kept)
    return kept
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
