import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { closeNumbers } from '../../shared/close-code.ts'
import type { Delivered } from '../bus/bus.ts'
import type { Asked } from '../rooms/shared-reading.ts'
import type { Refusal } from '../store/store.ts'
import type { Bucket } from './quantile.ts'
import { type Refused, type Report, type Reporter, reportLevels } from './report.ts'
import { Tally } from './tally.ts'

const refusedReasons = [...Object.keys(closeNumbers), 'address']
type Outcome = Exclude<Delivered['outcome'], 'refused'> | Refusal

/** What was counted since the start. */
export interface Counted {
  readonly appends: Readonly<Record<string, number>>
  readonly refusals: Readonly<Record<string, number>>
  readonly fanOut: readonly Bucket[]
  readonly saved: readonly Bucket[]
}

/**
 * What a relay counts about itself, in Prometheus's names and units. Whatever becomes a label is one of a closed list: nothing
 * here tells sessions or people apart.
 */
export class Meters {
  readonly #registry = new Registry()
  readonly #tallies: Tally[] = []
  /** The one counter that counts every change is a plain number for each outcome, which costs nothing. */
  readonly #appends: Record<Outcome, number> = { saved: 0, full: 0, quota: 0, unreachable: 0, deleted: 0 }
  readonly #watched = new Map<string, () => number | Promise<number>>()
  readonly #refusals = this.#counter('facedown_refusals_total', 'Connections ended or not opened', 'reason')
  readonly #readings = this.#counter(
    'facedown_log_readings_total',
    'Pages of logs that somebody asked for, by where they came from',
    'from',
  )
  readonly #reports = this.#counter('facedown_reports_total', 'Lines of the log by event', 'event')
  readonly #fanOut = this.#tally(
    'facedown_fan_out_seconds',
    'From a change taken in to handed to everybody connected here',
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
  )
  readonly #saved = this.#tally(
    'facedown_saved_seconds',
    'From a change taken in to committed',
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  )
  readonly #catchUp = this.#tally(
    'facedown_catch_up_seconds',
    'From hello to everything missed handed over',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  )
  readonly #catchUpBytes = this.#tally(
    'facedown_catch_up_bytes',
    'Envelopes handed to somebody who had missed them',
    [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216],
  )
  readonly #commit = this.#tally(
    'facedown_commit_seconds',
    'Transactions of changes',
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  )
  readonly #commitChanges = this.#tally(
    'facedown_commit_changes',
    'Changes in one transaction',
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
  )

  /** From the start every label is there with 0, so that the first time counts, too. */
  constructor() {
    const appends = this.#appends
    new Counter({
      name: 'facedown_appends_total',
      help: 'Changes by what became of them',
      labelNames: ['outcome'],
      registers: [this.#registry],
      collect() {
        this.reset()
        for (const [outcome, times] of Object.entries(appends)) this.inc({ outcome }, times)
      },
    })
    for (const reason of refusedReasons) this.#refusals.inc({ reason }, 0)
    for (const from of ['store', 'shared']) this.#readings.inc({ from }, 0)
    for (const event of Object.keys(reportLevels)) this.#reports.inc({ event }, 0)
  }

  readonly appended = (delivered: Delivered, ms: number): void => {
    if (delivered.outcome === 'saved') this.#saved.observe(ms / 1000)
    this.#appends[delivered.outcome === 'refused' ? delivered.reason : delivered.outcome]++
  }

  readonly fannedOut = (ms: number): void => this.#fanOut.observe(ms / 1000)

  readonly caughtUp = (ms: number, bytes: number): void => {
    this.#catchUp.observe(ms / 1000)
    this.#catchUpBytes.observe(bytes)
  }

  readonly askedForLog: Asked = (from) => this.#readings.inc({ from })

  readonly committed = (changes: number, ms: number): void => {
    this.#commit.observe(ms / 1000)
    this.#commitChanges.observe(changes)
  }

  readonly refused = (reason: Refused): void => this.#refusals.inc({ reason })

  /** Counts what passes. */
  reporting(report: Reporter): Reporter {
    return (said: Report) => {
      this.#reports.inc({ event: said.event })
      report(said)
    }
  }

  /** A figure that is looked up whenever somebody asks, such as `facedown_rooms`. NaN while it cannot be read. */
  watch(name: string, help: string, read: () => number | Promise<number>): void {
    this.#watched.set(name, read)
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      async collect() {
        this.set(await read())
      },
    })
  }

  /** The same for several at once, told apart by a label whose values are few and known, such as a region. */
  watchEach(
    name: string,
    help: string,
    label: string,
    read: () => Iterable<readonly [string, number]>,
  ): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect() {
        this.reset()
        for (const [value, figure] of read()) this.set({ [label]: value }, figure)
      },
    })
  }

  /** What never changes while the process runs, as labels of a 1. */
  state(name: string, help: string, labels: Readonly<Record<string, string>>): void {
    new Gauge({ name, help, labelNames: Object.keys(labels), registers: [this.#registry] }).set(labels, 1)
  }

  /** Memory, CPU, event loop and garbage of the whole process, until it ends. */
  watchProcess(): void {
    // The delay is what a timer of so many milliseconds is late: with 20 the process wakes half as often as with the usual 10.
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: 20 })
  }

  /** One that is watched, now; null if there is none, or it cannot be read. */
  async figure(name: string): Promise<number | null> {
    const value = await this.#watched.get(name)?.()
    return value === undefined || Number.isNaN(value) ? null : value
  }

  async counted(): Promise<Counted> {
    return {
      appends: { ...this.#appends },
      refusals: await countsOf(this.#refusals, 'reason'),
      fanOut: this.#fanOut.buckets,
      saved: this.#saved.buckets,
    }
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  async text(): Promise<string> {
    const tallies = this.#tallies.map(({ text }) => text)
    return [await this.#registry.metrics(), ...tallies].join('\n')
  }

  #counter<const Label extends string>(name: string, help: string, label: Label): Counter<Label> {
    return new Counter({ name, help, labelNames: [label], registers: [this.#registry] })
  }

  #tally(name: string, help: string, bounds: readonly number[]): Tally {
    const tally = new Tally(name, help, bounds)
    this.#tallies.push(tally)
    return tally
  }
}

async function countsOf<Label extends string>(
  counter: Counter<Label>,
  label: Label,
): Promise<Record<string, number>> {
  const { values } = await counter.get()
  return Object.fromEntries(values.map(({ labels, value }) => [String(labels[label]), value]))
}
