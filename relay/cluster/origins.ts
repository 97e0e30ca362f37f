import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import type { Meters } from '../meters.ts'
import type { Reporter } from '../report.ts'
import { openSqliteStore } from '../sqlite-store.ts'
import { Follower, type OriginStore } from './follower.ts'
import type { Region } from './region.ts'
import { originsHere, provideMirror, provideStream, regionOf } from './streams.ts'

/** How often this region's streams are looked at: one may have been lost, and others may be reached for the first time. */
const lookEveryMs = 5_000

/** One log of all sessions: what was said in one stream. */
export interface Kept {
  readonly store: OriginStore
  /** Undefined while its stream is gone: then it is only read. */
  follower: Follower | undefined
}

/** The databases of this process, one for each origin: another stream has other sequences. */
export class Origins {
  readonly #region: Region
  readonly #config: Config
  readonly #report: Reporter
  readonly #meters: Meters
  readonly #kept = new Map<string, Kept>()
  readonly #folders = new Set<string>()
  #looking: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined

  private constructor(region: Region, config: Config, report: Reporter, meters: Meters) {
    this.#region = region
    this.#config = config
    this.#report = report
    this.#meters = meters
  }

  /** Rejects with a `SetupError` when a database cannot be opened. */
  static async open(region: Region, config: Config, report: Reporter, meters: Meters): Promise<Origins> {
    const origins = new Origins(region, config, report, meters)
    try {
      for (const folder of databasesIn(config.dataDir)) await origins.#open(folder)
      await origins.#follow()
    } catch (error) {
      await origins.close()
      throw error
    }
    origins.#timer = setInterval(() => {
      origins.#looking = origins.#look()
    }, lookEveryMs).unref()
    origins.#looking = origins.#look()
    return origins
  }

  get folders(): readonly string[] {
    return [...this.#folders]
  }

  get all(): Iterable<Kept> {
    return this.#kept.values()
  }

  of(origin: string): Kept | undefined {
    return this.#kept.get(origin)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
    for (const { store, follower } of this.#kept.values()) {
      await follower?.stop()
      await store.close()
    }
    this.#kept.clear()
  }

  async #look(): Promise<void> {
    await this.#looking
    const { manager, name } = this.#region
    await provideStream(manager, name).catch(() => {}) // without NATS everything stays as it is
    const others = this.#config.regions.filter((region) => region.name !== name)
    await Promise.all(others.map((other) => provideMirror(this.#region, other.name).catch(() => {}))) // cut off from it
    await this.#follow().catch((error: unknown) => this.#report({ event: 'failed', error: String(error) }))
  }

  /** Follows every stream there is, and lets go of those that are gone. */
  async #follow(): Promise<void> {
    const here = await originsHere(this.#region.manager).catch(() => undefined)
    if (!here) return
    for (const origin of here) {
      if (!this.#isOfOurs(origin)) continue
      const kept = this.#kept.get(origin) ?? (await this.#open(join(this.#config.dataDir, origin), origin))
      kept.follower ??= await Follower.start(this.#region, kept.store, this.#config.shards)
    }
    for (const [origin, kept] of this.#kept) {
      if (here.includes(origin)) continue
      await kept.follower?.stop()
      kept.follower = undefined
    }
  }

  /** Others may use the same NATS, with regions of their own. */
  #isOfOurs(origin: string): boolean {
    const { region, regions } = this.#config
    return [region, ...regions.map(({ name }) => name)].includes(regionOf(origin))
  }

  async #open(dataDir: string, origin?: string): Promise<Kept> {
    const store = await openSqliteStore(
      { ...this.#config, dataDir, origin },
      this.#report,
      this.#meters.committed,
    )
    const kept = { store, follower: undefined }
    this.#folders.add(dataDir)
    this.#kept.set(store.origin, kept)
    return kept
  }
}

/** Of streams, in folders with their names, and what this folder kept before it was part of a region. */
function databasesIn(dataDir: string): string[] {
  if (!existsSync(dataDir)) return []
  const folders = readdirSync(dataDir, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return [dataDir, ...folders.map(({ name }) => join(dataDir, name))].filter((folder) =>
    existsSync(join(folder, 'facedown.sqlite')),
  )
}
