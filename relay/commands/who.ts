import { connect } from '@nats-io/transport-node'
import { addressWords, loginTo } from '../cluster/addresses.ts'
import { type Process, parseProcess } from '../cluster/process.ts'
import { SetupError } from '../settings/setup-error.ts'

const patience = { maxWait: 2_000, stall: 800 } as const

/** Every relay and store that can be reached through a region's NATS, those of linked regions, too. */
export async function processesAt(servers: string): Promise<Process[]> {
  const connection = await connect({ ...loginTo(servers), maxReconnectAttempts: 0 }).catch(() => {
    throw new SetupError(`NATS does not answer at NATS_URL ${addressWords(servers)}`)
  })
  const found: Process[] = []
  try {
    const answers = await connection.requestMany('$SRV.STATS', '', { strategy: 'stall', ...patience })
    for await (const answer of answers) {
      const one = parseProcess(answer.string())
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
  if (all.length === 0) return `No relay and no store answers at ${addressWords(servers)}.`
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
    ...Object.entries(figures).map(([name, value]) => `${name} ${figureWords(value)}`),
  ]
  return words.join(', ')
}

/** A number, or one for each region: `behind east 0, west 12`. */
function figureWords(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value ?? 'unknown')
  const figures = Object.entries(value).map(([region, figure]) => `${region} ${figure}`)
  return figures.join(', ') || 'unknown'
}
