import { against, median, spread } from '../figures.ts'
import { withRegion } from '../region-under-load.ts'
import { workload } from '../workload.ts'

const [teams, size, perSecond] = [100, 2, 100]
const moreAllowed = 3

/** Two people at one relay, and at two. */
export async function relays(): Promise<void> {
  const { runs, seconds } = workload
  const more: number[] = []
  for (let run = 0; run < runs; run++) {
    const same = await fanOut([0])
    const other = await fanOut([0, 1])
    more.push(other.p99 - same.p99)
    console.log(
      `run ${run + 1}: ${teams} teams of ${size} at one relay p50 ${same.p50.toFixed(1)} ms, p99 ${same.p99.toFixed(1)} ms, at two p50 ${other.p50.toFixed(1)} ms, p99 ${other.p99.toFixed(1)} ms`,
    )
  }
  console.log(`from relay to relay p99 + ${spread(more, 1)} ms, ${against(median(more), moreAllowed)}`)

  async function fanOut(at: readonly number[]) {
    return withRegion(2, async (region, load) => {
      const ports = at.map((number) => region.relays[number]?.port ?? 0)
      await load.ask({ do: 'connect', ports, dialect: 'facedown', teams, size })
      return await load.ask({ do: 'play', seconds, perSecond })
    })
  }
}
