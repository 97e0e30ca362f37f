import type { World } from './world.ts'

export type Counts = Record<string, number>

/** What faults count, from the beginning. */
export const noCounts = {
  drops: 0,
  cuts: 0,
  offline: 0,
  regionCuts: 0,
  relayCrashes: 0,
  relayRestarts: 0,
  storeTroubles: 0,
  rollbacks: 0,
  clientCrashes: 0,
  unsyncedRowsLost: 0,
  lyingTimes: 0,
  wrongClocks: 0,
  sleeps: 0,
  standstills: 0,
  filesOpened: 0,
  deletions: 0,
  rubbish: 0,
} satisfies Counts

/** What a run has come to, so that runs cannot pass by doing nothing. */
export function countOf(world: World, happened: Counts): Counts {
  const { promises, disk, clock, relays, intruder, peers, requests } = world
  return {
    ...happened,
    ...toldBy(relays),
    ...votesOf(world),
    promised: promises.promised,
    entries: disk.length,
    snapshots: world.snapshots,
    hidden: intruder.hidden,
    erased: intruder.erased,
    overQuota: disk.overQuota,
    heldUp: clock.heldUp,
    requestsAnswered: requests.answered,
    requestsLost: requests.lost,
    answersLost: requests.answersLost,
    fromTabs: peers.reduce((sum, { fromTabs }) => sum + fromTabs, 0),
    autoReveals: peers.reduce((sum, { autoReveals }) => sum + autoReveals, 0),
    lostByBoth: promises.lost,
    droppedByLies: promises.dropped,
    virtualHours: clock.now / 3_600_000,
  }
}

function toldBy(relays: World['relays']): Counts {
  const told: Counts = {}
  for (const { liar } of relays) {
    for (const [lie, count] of Object.entries(liar.told)) told[lie] = (told[lie] ?? 0) + count
  }
  return told
}

function votesOf({ peers }: World): Counts {
  const ledger = peers[0]?.core?.ledger
  const counts: Counts = { rounds: 0, voting: 0, revealed: 0, settled: 0, conflict: 0 }
  Object.assign(counts, { counted: 0, sealed: 0, late: 0, void: 0, releases: 0 })
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1
  }
  for (const round of ledger?.topics().flatMap((topic) => ledger.allRounds(topic)) ?? []) {
    const state = ledger?.resolve(round)
    count('rounds')
    if (ledger && ledger.of(round.id, 'release').length > 0) count('releases')
    if (state) count(state.phase)
    if (state && state.phase !== 'voting') for (const vote of state.votes.values()) count(vote.state)
  }
  return counts
}
