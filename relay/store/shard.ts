import { idBytes, type SessionId } from '../../shared/id.ts'

/** Into so many shards sessions are divided. The number is part of every subject and every store's settings, so it never changes. */
export const shardCount = 64

export function shardOf(session: SessionId): number {
  return (idBytes(session)[0] ?? 0) % shardCount
}

/** As `SHARDS` takes them: `0-31,40`. */
export function shardWords(shards: ReadonlySet<number>): string {
  const runs: [first: number, last: number][] = []
  for (const shard of [...shards].sort((a, b) => a - b)) {
    const run = runs.at(-1)
    if (run?.[1] === shard - 1) run[1] = shard
    else runs.push([shard, shard])
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join()
}

/** Undefined for anything that is not written so. */
export function parseShards(text: string): ReadonlySet<number> | undefined {
  const shards = new Set<number>()
  for (const part of text.split(',')) {
    const [, first = '', last = first] = /^(\d{1,2})(?:-(\d{1,2}))?$/.exec(part.trim()) ?? []
    const [from, to] = [Number(first), Number(last)]
    if (first === '' || from > to || to >= shardCount) return undefined
    for (let shard = from; shard <= to; shard++) shards.add(shard)
  }
  return shards
}
