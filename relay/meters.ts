import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { closeNumbers } from '../shared/close-code.ts'
import type { Delivered } from './bus.ts'
import type { Bucket } from './quantile.ts'
import { type Refused, type Report, type Reporter, reportLevels } from './report.ts'

const refusedReasons = [...Object.keys(closeNumbers), 'address']
const outcomes = ['saved', 'full', 'quota', 'unreachable', 'deleted']

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
  readonly #watched = new Map<string, () => number | Promise<number>>()
  readonly #appends = this.#counter('facedown_appends_total', 'Changes by what became of them', 'outcome')
  readonly #refusals = this.#counter('facedown_refusals_total', 'Connections ended or not opened', 'reason')
  readonly #reports = this.#counter('facedown_reports_total', 'Lines of the log by event', 'event')
  readonly #fanOut = this.#histogram(
    'facedown_fan_out_seconds',
    'From a change taken in to handed to everybody connected here',
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
  )
  readonly #saved = this.#histogram(
    'facedown_saved_seconds',
    'From a change taken in to committed',
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  )
  readonly #catchUp = this.#histogram(
    'facedown_catch_up_seconds',
    'From hello to everything missed handed over',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  )
  readonly #catchUpBytes = this.#histogram(
    'facedown_catch_up_bytes',
    'Envelopes handed to somebody who had missed them',
    [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216],
  )
  readonly #commit = this.#histogram(
    'facedown_commit_seconds',
    'Transactions of changes',
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  )
  readonly #commitChanges = this.#histogram(
    'facedown_commit_changes',
    'Changes in one transaction',
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
  )

  /** From the start every label is there with 0, so that the first time counts, too. */
  constructor() {
    for (const outcome of outcomes) this.#appends.inc({ outcome }, 0)
    for (const reason of refusedReasons) this.#refusals.inc({ reason }, 0)
    for (const event of Object.keys(reportLevels)) this.#reports.inc({ event }, 0)
  }

  readonly appended = (delivered: Delivered, ms: number): void => {
    if (delivered.outcome === 'saved') this.#saved.observe(ms / 1000)
    this.#appends.inc({ outcome: delivered.outcome === 'refused' ? delivered.reason : delivered.outcome })
  }

  readonly fannedOut = (ms: number): void => this.#fanOut.observe(ms / 1000)

  readonly caughtUp = (ms: number, bytes: number): void => {
    this.#catchUp.observe(ms / 1000)
    this.#catchUpBytes.observe(bytes)
  }

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
    collectDefaultMetrics({ register: this.#registry })
  }

  /** One that is watched, now; null if there is none, or it cannot be read. */
  async figure(name: string): Promise<number | null> {
    const value = await this.#watched.get(name)?.()
    return value === undefined || Number.isNaN(value) ? null : value
  }

  async counted(): Promise<Counted> {
    return {
      appends: await countsOf(this.#appends, 'outcome'),
      refusals: await countsOf(this.#refusals, 'reason'),
      fanOut: await bucketsOf(this.#fanOut),
      saved: await bucketsOf(this.#saved),
    }
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #counter<const Label extends string>(name: string, help: string, label: Label): Counter<Label> {
    return new Counter({ name, help, labelNames: [label], registers: [this.#registry] })
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.#registry] })
  }
}

async function countsOf<Label extends string>(
  counter: Counter<Label>,
  label: Label,
): Promise<Record<string, number>> {
  const { values } = await counter.get()
  return Object.fromEntries(values.map(({ labels, value }) => [String(labels[label]), value]))
}

async function bucketsOf(histogram: Histogram): Promise<Bucket[]> {
  const { values } = await histogram.get()
  return values
    .filter(({ metricName }) => metricName?.endsWith('_bucket'))
    .map(({ labels, value }) => ({ upTo: boundOf(String(labels.le)), count: value }))
}

function boundOf(le: string): number {
  return le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le)
}
