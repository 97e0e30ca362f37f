import type { ProcessSeen, RegionFigures } from '../../shared/status.ts'
import { parseShards, shardCount, shardWords } from '../store/shard.ts'

/** How many of each region are ready, and how far the stores of the first one are behind it. */
export function regionFigures(
  regions: readonly string[],
  processes: readonly ProcessSeen[],
): Record<string, RegionFigures> {
  const ready = processes.filter(isUseful)
  const heard = new Map(heardRegions(regions, processes))
  const ours = ready.filter(({ kind, region }) => kind === 'store' && region === regions[0])
  return Object.fromEntries(
    regions.map((name) => {
      const count = (kind: ProcessSeen['kind']) =>
        ready.filter((process) => process.kind === kind && process.region === name).length
      const behind = ours.map((store) => store.behind[name]).filter((messages) => messages !== undefined)
      return [
        name,
        {
          stores: count('store'),
          relays: count('relay'),
          // What is said beyond a link that is cut, nobody here can know.
          behind: heard.get(name) && behind.length > 0 ? Math.max(...behind) : null,
        },
      ]
    }),
  )
}

/** Of each region 1 while any of its processes can be heard, else 0. */
export function heardRegions(
  regions: readonly string[],
  processes: readonly ProcessSeen[],
): [string, number][] {
  return regions.map((name) => [
    name,
    processes.some(({ region, isHeard }) => region === name && isHeard) ? 1 : 0,
  ])
}

/** The shards of a region that the fewest stores keep. */
export function fewestStores(
  region: string,
  processes: readonly ProcessSeen[],
): { readonly stores: number; readonly shards: string } {
  const stores = processes.filter((process) => process.region === region && isUseful(process))
  const kept = stores.map(({ shards }) => parseShards(shards ?? '') ?? new Set())
  const counts = Array.from({ length: shardCount }, (_, shard) => kept.filter((own) => own.has(shard)).length)
  const fewest = Math.min(...counts)
  const shards = [...counts.keys()].filter((shard) => counts[shard] === fewest)
  return { stores: fewest, shards: shardWords(new Set(shards)) }
}

function isUseful({ isHeard, isReady }: ProcessSeen): boolean {
  return isHeard && isReady
}
