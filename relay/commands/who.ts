import { connect, type Msg } from '@nats-io/transport-node'
import { SetupError } from '../setup-error.ts'

/** A process of a region, as it tells of itself: see `announce`. */
export interface Process {
  readonly kind: string
  readonly region: string
  readonly version: string
  readonly id: string
  readonly since: string
  readonly shards: string | undefined
  readonly requests: number
  readonly averageMs: number
  readonly now: Readonly<Record<string, unknown>>
}

const patience = { maxWait: 2_000, stall: 800 } as const
const prefix = 'facedown-'

/** Every relay and store that can be reached through a region's NATS, those of linked regions, too. */
export async function processesAt(servers: string): Promise<Process[]> {
  const connection = await connect({ servers: servers.split(','), maxReconnectAttempts: 0 }).catch(() => {
    throw new SetupError(`NATS does not answer at NATS_URL ${servers}`)
  })
  const found: Process[] = []
  try {
    const answers = await connection.requestMany('$SRV.STATS', '', { strategy: 'stall', ...patience })
    for await (const answer of answers) {
      const one = readProcess(answer)
      if (one) found.push(one)
    }
  } catch {
    // Nobody is there.
  } finally {
    await connection.close()
  }
  const place = ({ region, kind, id }: Process) => `${region} ${kind} ${id}`
  return found.sort((a, b) => (place(a) < place(b) ? -1 : 1))
}

export async function tellWho(servers: string, json: boolean): Promise<string> {
  const all = await processesAt(servers)
  if (json) return JSON.stringify(all, undefined, 2)
  if (all.length === 0) return `No relay and no store answers at ${servers}.`
  return all.map(wordsOf).join('\n')
}

function wordsOf({ kind, region, version, since, shards, requests, averageMs, now }: Process): string {
  const { ready, ...figures } = now
  const words = [
    `${region} ${kind} ${version}`,
    ready === true ? 'ready' : 'NOT READY',
    `since ${since}`,
    ...(shards === undefined ? [] : [`shards ${shards}`]),
    ...(kind === 'store' ? [`${requests} questions at ${averageMs.toFixed(1)} ms`] : []),
    ...Object.entries(figures).map(([name, value]) => `${name} ${value ?? 'unknown'}`),
  ]
  return words.join(', ')
}

/** Undefined for somebody else's service, whatever that answers. */
function readProcess(answer: Msg): Process | undefined {
  try {
    return processOf(answer.json<Record<string, unknown>>())
  } catch {
    return undefined
  }
}

function processOf(stats: Record<string, unknown>): Process | undefined {
  const { name, id, version, started, metadata, endpoints } = stats
  if (typeof name !== 'string' || !name.startsWith(prefix) || !Array.isArray(endpoints)) return undefined
  const { region, shards } = metadata as Record<string, string | undefined>
  const [{ num_requests: requests, average_processing_time: nanoseconds, data }] = endpoints
  return {
    kind: name.slice(prefix.length),
    region: String(region),
    version: String(version),
    id: String(id),
    since: String(started),
    shards,
    requests: Number(requests),
    averageMs: Number(nanoseconds) / 1_000_000,
    now: data ?? {},
  }
}
