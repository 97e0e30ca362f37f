import { fileURLToPath } from 'node:url'
import { SetupError } from './setup-error.ts'
import { shardCount } from './shard.ts'

/** What an operator can set. Every wrong value stops the start with a sentence that says what to set instead. */
export interface Config {
  readonly host: string
  readonly port: number
  readonly dataDir: string
  readonly region: string
  /** Undefined: this process is a whole installation. */
  readonly natsUrl: string | undefined
  readonly role: Role
  /** Every region, this one too; empty when it is the only one. */
  readonly regions: readonly RegionAddress[]
  /** Of the sessions' shards those that a store of this process keeps. */
  readonly shards: ReadonlySet<number>
  /** Undefined: a page may connect to the host it came from. With regions, pages of each of them may. */
  readonly origins: readonly string[] | undefined
  readonly trustProxy: boolean
  readonly sessionMaxBytes: number
  readonly sessionIdleDays: number
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
  readonly newConnectionsPerSecond: number
  /** Where the built client lies. */
  readonly clientDir: string
}

/** Built, this file lies in `dist/relay`. */
const builtClient = import.meta.url.endsWith('.ts') ? '../dist/client' : '../client'

/** A region, and where browsers find its relays. */
export interface RegionAddress {
  readonly name: string
  readonly url: string
}

/** `both` in one process, or only one of them, among others of the region. */
export type Role = 'both' | 'relay' | 'store'

type Environment = Readonly<Record<string, string | undefined>>

export function readConfig(environment: Environment): Config {
  const regions = readRegions(environment)
  return {
    host: environment.HOST || 'localhost',
    port: wholeNumber(environment, 'PORT', 8787, 1, 65_535),
    dataDir: environment.DATA_DIR || './data',
    region: readRegion(environment),
    natsUrl: environment.NATS_URL || undefined,
    role: readRole(environment),
    regions,
    shards: readShards(environment),
    origins: readOrigins(environment) ?? originsOf(regions),
    trustProxy: readFlag(environment, 'TRUST_PROXY'),
    sessionMaxBytes: wholeNumber(environment, 'SESSION_MAX_BYTES', 16 << 20, 1 << 20, 2 ** 40),
    sessionIdleDays: wholeNumber(environment, 'SESSION_IDLE_DAYS', 90, 1, 36_500),
    maxConnections: wholeNumber(environment, 'MAX_CONNECTIONS', 20_000, 1, 1_000_000),
    maxConnectionsPerAddress: wholeNumber(environment, 'MAX_CONNECTIONS_PER_ADDRESS', 2000, 1, 1_000_000),
    newConnectionsPerSecond: wholeNumber(environment, 'NEW_CONNECTIONS_PER_SECOND', 50, 1, 1_000_000),
    clientDir: fileURLToPath(new URL(builtClient, import.meta.url)),
  }
}

function wholeNumber(env: Environment, name: string, otherwise: number, least: number, most: number): number {
  const text = env[name]
  if (!text) return otherwise
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new SetupError(`${name} must be a whole number from ${least} to ${most}, but it is "${text}"`)
}

const regionPattern = /^[a-z0-9][a-z0-9-]{0,15}$/

function readRegion(env: Environment): string {
  const region = env.REGION || 'local'
  if (regionPattern.test(region)) return region
  throw new SetupError(
    `REGION must be 1 to 16 of the characters a-z, 0-9 and -, beginning with a letter or digit, but it is "${region}"`,
  )
}

function readRole(env: Environment): Role {
  const role = env.ROLE || 'both'
  if (role !== 'both' && role !== 'relay' && role !== 'store') {
    throw new SetupError(`ROLE must be both, relay or store, but it is "${role}"`)
  }
  if (role !== 'both' && !env.NATS_URL) {
    throw new SetupError(
      `ROLE ${role} needs NATS_URL, the address of the region's NATS, such as 127.0.0.1:4222`,
    )
  }
  return role
}

function readRegions(env: Environment): RegionAddress[] {
  if (!env.REGIONS) return []
  const regions = env.REGIONS.split(',').map((text) => {
    const [name = '', url = ''] = text.trim().split(/=(.*)/s)
    const isAddress = URL.canParse(url) && /^https?:/.test(url)
    if (regionPattern.test(name) && isAddress) return { name, url: new URL(url.replace(/\/?$/, '/')).href }
    throw new SetupError(
      `REGIONS must list regions like east=https://east.example.org, separated by commas, but it has "${text.trim()}"`,
    )
  })
  const own = readRegion(env)
  if (regions.some(({ name }) => name === own)) return regions
  throw new SetupError(`REGIONS must list this region, ${own}, too`)
}

/** People who came to one region may be served by another. */
function originsOf(regions: readonly RegionAddress[]): string[] | undefined {
  return regions.length > 0 ? regions.map(({ url }) => new URL(url).origin) : undefined
}

/** `0-31` or `0-7,40`. */
function readShards(env: Environment): Set<number> {
  const shards = new Set<number>()
  for (const text of (env.SHARDS || `0-${shardCount - 1}`).split(',')) {
    const [, first = '', last = first] = /^(\d{1,2})(?:-(\d{1,2}))?$/.exec(text.trim()) ?? []
    const [from, to] = [Number(first), Number(last)]
    if (first === '' || from > to || to >= shardCount) {
      throw new SetupError(
        `SHARDS must list numbers from 0 to ${shardCount - 1}, such as 0-31 or 0-7,40, but it has "${text.trim()}"`,
      )
    }
    for (let shard = from; shard <= to; shard++) shards.add(shard)
  }
  return shards
}

function readFlag(env: Environment, name: string): boolean {
  const text = env[name] || '0'
  if (text === '0' || text === '1') return text === '1'
  throw new SetupError(`${name} must be 1 (yes) or 0 (no), but it is "${text}"`)
}

function readOrigins(env: Environment): string[] | undefined {
  if (!env.ORIGINS) return undefined
  return env.ORIGINS.split(',').map((text) => {
    const origin = text.trim()
    if (URL.canParse(origin) && new URL(origin).origin === origin) return origin
    throw new SetupError(
      `ORIGINS must list addresses like https://poker.example.org, separated by commas, but it has "${origin}"`,
    )
  })
}
