import { type EventLoopUtilization, performance } from 'node:perf_hooks'
import type { ProcessSeen, Sample, Status } from '../../shared/status.ts'
import type { Config } from '../settings/config.ts'
import { version } from '../version.ts'
import type { Counted, Meters } from './meters.ts'
import { quantile } from './quantile.ts'
import { fewestStores, regionFigures } from './region-figures.ts'

const everyMs = 10_000
/** One hour. */
const kept = 360

type About = Pick<Config, 'region' | 'role' | 'regions'>

/** Looks at the meters every ten seconds and keeps the last hour in memory, for those who have no Prometheus. */
export class StatusHistory {
  readonly #meters: Meters
  readonly #config: About
  readonly #processes: (() => readonly ProcessSeen[]) | undefined
  readonly #startedAt = Date.now()
  readonly #samples: Sample[] = []
  #before: Counted | undefined
  #loop: EventLoopUtilization = performance.eventLoopUtilization()
  #at = this.#startedAt

  /** `processes` are those of the region and of others, where there are any. */
  constructor(meters: Meters, config: About, processes?: () => readonly ProcessSeen[]) {
    this.#meters = meters
    this.#config = config
    this.#processes = processes
  }

  /** Returns the stop. */
  start(): () => void {
    const timer = setInterval(() => void this.sample(), everyMs).unref()
    void this.sample()
    return () => clearInterval(timer)
  }

  async sample(): Promise<void> {
    const counted = await this.#meters.counted()
    const loop = performance.eventLoopUtilization()
    const time = Date.now()
    const before = this.#before ?? counted
    const seconds = Math.max(0.001, (time - this.#at) / 1000)
    const figure = (name: string) => this.#meters.figure(name)
    const unsaved = (one: Counted) => sum(one.appends) - (one.appends.saved ?? 0)
    const sample: Sample = {
      time,
      figures: {
        connections: await figure('facedown_connections'),
        rooms: await figure('facedown_rooms'),
        slowReaders: await figure('facedown_slow_readers'),
        // The first sample is taken at once, and has no seconds before it.
        busy: this.#before ? performance.eventLoopUtilization(loop, this.#loop).utilization : null,
        memoryBytes: process.memoryUsage.rss(),
        savedPerSecond: ((counted.appends.saved ?? 0) - (before.appends.saved ?? 0)) / seconds,
        unsavedPerSecond: (unsaved(counted) - unsaved(before)) / seconds,
        fanOutP50: quantile(0.5, counted.fanOut, before.fanOut),
        fanOutP99: quantile(0.99, counted.fanOut, before.fanOut),
        savedP50: quantile(0.5, counted.saved, before.saved),
        savedP99: quantile(0.99, counted.saved, before.saved),
        databaseBytes: await figure('facedown_database_bytes'),
        logBytes: await figure('facedown_write_ahead_log_bytes'),
        diskFreeBytes: await figure('facedown_disk_free_bytes'),
      },
      refusals: Object.fromEntries(
        Object.entries(counted.refusals)
          .map(([reason, times]) => [reason, times - (before.refusals[reason] ?? 0)] as const)
          .filter(([, times]) => times > 0),
      ),
      regions: regionFigures(this.#regions, this.#processes?.() ?? []),
    }
    this.#before = counted
    this.#loop = loop
    this.#at = time
    this.#samples.push(sample)
    if (this.#samples.length > kept) this.#samples.shift()
  }

  /** With the samples after a time. */
  status(after: number): Status {
    const processes = this.#processes?.()
    return {
      version,
      region: this.#config.region,
      role: this.#config.role,
      startedAt: this.#startedAt,
      everyMs,
      regions: this.#regions,
      fewest: processes ? fewestStores(this.#config.region, processes) : null,
      processes: processes ?? [],
      samples: this.#samples.filter(({ time }) => time > after),
    }
  }

  /** Those that were set, and whatever else was heard. */
  get #regions(): string[] {
    if (!this.#processes) return []
    const { region, regions } = this.#config
    const heard = this.#processes().map((process) => process.region)
    return [...new Set([region, ...regions.map(({ name }) => name), ...heard.sort()])]
  }
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, one) => all + one, 0)
}
