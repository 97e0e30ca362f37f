import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Deposit } from '../shared/escrow.ts'
import type { Subscriber } from './bus/bus.ts'
import { type Limits, limitsOf } from './connections/limits.ts'
import type { Meters } from './operators/meters.ts'
import type { Report } from './operators/report.ts'
import { startRelay as start } from './relay.ts'
import { type Config, readConfig } from './settings/config.ts'
import type { SqliteStore } from './store/sqlite-store.ts'
import type { Page } from './store/store.ts'

/** Hears everything and does nothing. */
export const deaf: Subscriber = {
  entry: () => {},
  signal: () => {},
  joined: () => {},
  left: () => {},
  saved: () => {},
  savedElsewhere: () => {},
  log: () => {},
  deleted: () => {},
}

/** What a store says of a session that nobody wrote to. */
export const emptyPage: Page = {
  outcome: 'page',
  resumed: false,
  snapshot: undefined,
  entries: [],
  upTo: undefined,
  more: false,
}

export interface TestRelay {
  /** `http://127.0.0.1:<port>`, which is also the origin that pages of this relay have. */
  readonly url: string
  readonly port: number
  /** Where operators look at it. */
  readonly metricsPort: number
  readonly dataDir: string
  readonly store: SqliteStore
  /** What it would have logged. */
  readonly reports: readonly Report[]
  /** A folder that was made for this relay is removed, one that was given stays. */
  stop(): Promise<void>
}

export interface TestRelayOptions extends Partial<Config> {
  readonly limits?: Partial<Limits>
  readonly meters?: Meters
}

const ordinary: Config = {
  ...readConfig({}),
  host: '127.0.0.1',
  port: 0,
  maxConnectionsPerAddress: 20_000,
  newConnectionsPerSecond: 1000,
  clientDir: '/nowhere',
  statusDir: '/nowhere',
}

/** A relay inside this process, on a port of its own (or on `port`, to come back after a stop). */
export async function startRelay({ limits, meters, ...config }: TestRelayOptions = {}): Promise<TestRelay> {
  const dataDir = config.dataDir ?? temporaryFolder()
  const reports: Report[] = []
  const all = { ...ordinary, ...config, dataDir }
  const relay = await start(
    all,
    (report) => reports.push(report),
    { ...limitsOf(all), handOverMs: 0, ...limits },
    meters,
  )
  const { store } = relay
  let stopping: Promise<void> | undefined
  return {
    url: `http://127.0.0.1:${relay.port}`,
    port: relay.port,
    metricsPort: relay.metricsPort,
    dataDir,
    get store() {
      if (!store) throw new Error('This relay has no store of its own')
      return store
    },
    reports,
    stop: () => {
      stopping ??= relay.stop().then(() => {
        if (!config.dataDir) rmSync(dataDir, { recursive: true })
      })
      return stopping
    },
  }
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'facedown-'))
}

export function random(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length))
}

/** A key for a seal of its own, in the round with that number. */
export function someDeposit(round = 1): Deposit {
  return { round: new Uint8Array(16).fill(round), seal: random(16), key: random(32), replaces: [] }
}

/** To a relay every envelope looks like noise, so noise will do. */
export function someEnvelope(length = 256): Uint8Array {
  return random(length)
}

/** To be compared and printed; nothing is an empty text. */
export function hex(bytes: Uint8Array = new Uint8Array()): string {
  return Buffer.from(bytes).toString('hex')
}
