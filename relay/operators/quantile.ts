/** How many were at most so large; the last bound is infinite and counts all. */
export interface Bucket {
  readonly upTo: number
  readonly count: number
}

/** Where a share of what came between two counts lies, evenly spread within its bucket, as Prometheus reckons it; null if nothing came. */
export function quantile(share: number, now: readonly Bucket[], before: readonly Bucket[]): number | null {
  const since = now.map(({ upTo, count }, at) => ({ upTo, count: count - (before[at]?.count ?? 0) }))
  const rank = share * (since.at(-1)?.count ?? 0)
  if (rank === 0) return null
  const at = since.findIndex(({ count }) => count >= rank)
  const { upTo: lower, count: below } = since[at - 1] ?? { upTo: 0, count: 0 }
  const { upTo, count } = since[at] ?? { upTo: Number.POSITIVE_INFINITY, count: below }
  if (upTo === Number.POSITIVE_INFINITY) return lower
  return lower + ((upTo - lower) * (rank - below)) / (count - below)
}
