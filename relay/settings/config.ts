import { fileURLToPath } from 'node:url'
import { refuseMisspelt } from './misspelt.ts'
import type { RegionAddress } from './region-settings.ts'
import { type SettingValues, settings } from './settings.ts'
import { SetupError } from './setup-error.ts'

/** What an operator has set (see `settings.ts`), and where the built pages lie. */
export interface Config extends SettingValues {
  readonly clientDir: string
  /** The status page. */
  readonly statusDir: string
}

/** `both` in one process, or only one of them, among others of the region. */
export type Role = Config['role']

/** Built, this file lies in `dist/relay`. */
const built = import.meta.url.endsWith('.ts') ? '../../dist' : '..'

export type Environment = Readonly<Record<string, string | undefined>>

const names = Object.values(settings).map(({ name }) => name)

/** Every wrong value, and every name that is nearly one of ours, stops the start with a sentence that says what to set. */
export function readConfig(environment: Environment): Config {
  refuseMisspelt(environment, names)
  const values = readSettings(environment)
  const config = {
    ...values,
    // People who came to one region may be served by another.
    origins: values.origins ?? originsOf(values.regions),
    clientDir: fileURLToPath(new URL(`${built}/client`, import.meta.url)),
    statusDir: fileURLToPath(new URL(`${built}/status`, import.meta.url)),
  }
  refuseContradictions(config, environment)
  return config
}

/** One setting, for a command that needs no other: what would stop a relay does not stop a backup of it. */
export function readSetting<Key extends keyof SettingValues>(
  environment: Environment,
  key: Key,
): SettingValues[Key] {
  refuseMisspelt(environment, names)
  const { name, read } = settings[key]
  return read(environment[name]) as SettingValues[Key]
}

function readSettings(environment: Environment): SettingValues {
  const values = Object.entries(settings).map(([key, { name, read }]) => [key, read(environment[name])])
  return Object.fromEntries(values) as SettingValues
}

function refuseContradictions(
  { role, natsUrl, beginEmpty, region, regions, port, metricsPort }: Config,
  environment: Environment,
): void {
  if (role !== 'both' && !natsUrl) {
    throw new SetupError(
      `ROLE ${role} needs NATS_URL, the address of the region's NATS, such as 127.0.0.1:4222`,
    )
  }
  const nats = "needs NATS_URL, the address of the region's NATS"
  if (environment[settings.shards.name] && !natsUrl)
    throw new SetupError(`SHARDS ${nats}: a process alone keeps all sessions`)
  if (beginEmpty && !natsUrl)
    throw new SetupError(`BEGIN_EMPTY ${nats}: a process alone asks no other store for sessions`)
  if (metricsPort === port) {
    throw new SetupError(`METRICS_PORT must be another port than PORT, but both are ${port}`)
  }
  if (metricsPort === undefined && environment[settings.metricsHost.name]) {
    throw new SetupError('METRICS_HOST needs METRICS_PORT, the port to listen on there')
  }
  if (regions.length > 0 && !regions.some(({ name }) => name === region)) {
    throw new SetupError(`REGIONS must list this region, ${region}, too`)
  }
}

function originsOf(regions: readonly RegionAddress[]): string[] | undefined {
  return regions.length > 0 ? regions.map(({ url }) => new URL(url).origin) : undefined
}
