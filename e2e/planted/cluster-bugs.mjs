/** Mistakes of a cluster that `npm run check:cluster` must notice; see `bugs.mjs`. */
export const clusterBugs = [
  {
    name: 'check:cluster, a store says saved of what it has only in memory, and writes it seconds later',
    file: 'relay/store/sqlite-store.ts',
    text: '      if (this.#appends.length === 0) this.#waitingSince = performance.now()\n',
    instead: `      resolve(ordinary)
      setTimeout(() => {
        this.#appends.push({ row: { session, sequence, previous, checksum, kind, envelope }, resolve })
        this.#gathering ??= this.#underWay ? undefined : setTimeout(() => this.#flush(), gatherMs)
      }, 3000)
      if (sequence) return
`,
  },
  {
    name: 'check:cluster, a store that comes back reads only what is said from then on',
    file: 'relay/cluster/follower.ts',
    text: '{ opt_start_seq: from }',
    instead: "{ deliver_policy: 'new' }",
  },
  {
    name: 'check:cluster, a store skips every hundredth statement of the other region',
    file: 'relay/cluster/follower.ts',
    text: "    const session = parseSessionId(subject.split('.')[3] ?? '')\n",
    instead:
      "    if (seq % 100 === 0 && regionOf(this.#store.origin) !== this.#region.name) return undefined\n    const session = parseSessionId(subject.split('.')[3] ?? '')\n",
  },
]
