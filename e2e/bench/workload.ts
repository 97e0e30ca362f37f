/** What the environment says about how much is measured. */
export const workload = {
  teams: Number(process.env.TEAMS ?? 1000),
  /** People of a team. */
  size: Number(process.env.SIZE ?? 6),
  changesPerSecond: Number(process.env.CHANGES ?? 1000),
  seconds: Number(process.env.SECONDS ?? 8),
  /** In turn, of whatever is compared. */
  runs: Number(process.env.RUNS ?? 1),
}

/** Before anything counts: engines compile what is used often, once. */
export const warmUpSeconds = 3
