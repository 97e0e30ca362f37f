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

export const namePrefix = 'facedown-'

/** Undefined for somebody else's service, whatever that says. */
export function parseProcess(text: string): Process | undefined {
  try {
    return processOf(JSON.parse(text))
  } catch {
    return undefined
  }
}

function processOf(stats: Record<string, unknown>): Process | undefined {
  const { name, id, version, started, metadata, endpoints } = stats
  if (typeof name !== 'string' || !name.startsWith(namePrefix) || !Array.isArray(endpoints)) return undefined
  const { region, shards } = metadata as Record<string, string | undefined>
  const [{ num_requests: requests, average_processing_time: nanoseconds, data }] = endpoints
  return {
    kind: name.slice(namePrefix.length),
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
