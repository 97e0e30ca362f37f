import { RegionProcesses } from '../cluster/region.ts'
import { cpuOf, memoryOf } from './figures.ts'
import { Load } from './load-process.ts'

/** As an operator sets it for a crowd that comes from few addresses. */
const settings = { NEW_CONNECTIONS_PER_SECOND: '5000', MAX_CONNECTIONS_PER_ADDRESS: '20000' }

/** A whole region on this machine and its load. All of them share its cores. */
export async function withRegion<Result>(
  relays: number,
  work: (region: RegionProcesses, load: Load) => Promise<Result>,
): Promise<Result> {
  const region = await RegionProcesses.start('bench', { relays, settings })
  const load = new Load()
  try {
    return await work(region, load)
  } finally {
    load.end()
    await region.stop()
  }
}

export type ByProcess = Readonly<Record<string, number>>

/** In seconds, so far. */
export function cpuByProcess(region: RegionProcesses, load: Load): ByProcess {
  return byProcess(region, load, cpuOf)
}

/** In bytes. */
export function memoryByProcess(region: RegionProcesses, load: Load): ByProcess {
  return byProcess(region, load, memoryOf)
}

function byProcess(region: RegionProcesses, load: Load, figure: (pid: number) => number): ByProcess {
  const { nats, balancer, relays, stores } = region
  const named = [
    ['HAProxy', balancer.pid],
    ...relays.map(({ pid }, at) => [`relay ${at + 1}`, pid] as const),
    ['NATS', nats.pid],
    ...stores.map(({ pid }, at) => [`store ${at + 1}`, pid] as const),
    ['load', load.pid],
  ] as const
  return Object.fromEntries(named.map(([name, pid]) => [name, pid ? figure(pid) : 0]))
}

/** How much more each of them has, for each of so many things that were done; CPU in µs for a `scale` of a million. */
export function more(
  before: ByProcess,
  after: ByProcess,
  { each, scale, unit, digits = 0 }: { each: number; scale: number; unit: string; digits?: number },
): string {
  return Object.entries(after)
    .map(([name, now]) => `${name} ${(((now - (before[name] ?? 0)) * scale) / each).toFixed(digits)} ${unit}`)
    .join(', ')
}
