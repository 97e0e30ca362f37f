import { median, pause, spread } from '../figures.ts'
import { type ServerName, withServer } from '../server.ts'
import { warmUpSeconds, workload } from '../workload.ts'

const sizes = process.env.GROWTH?.split(',').map(Number) ?? [100, 500, 2000]
const restSeconds = 3

interface Figures {
  readonly cpu: number[]
  /** What keeping the connections takes in the time of a change. */
  readonly rest: number[]
  readonly memory: number[]
}

/**
 * The same work over more and more teams: what one of them costs should not depend on how many others there are. The floor grows,
 * too: what is not in the processor's caches has to be fetched.
 */
export async function growth(): Promise<void> {
  const { size, changesPerSecond, runs } = workload
  const names = ['floor', 'facedown'] as const
  const all = new Map(
    names.flatMap((name) =>
      sizes.map((teams): [string, Figures] => [`${name} ${teams}`, { cpu: [], rest: [], memory: [] }]),
    ),
  )
  for (let run = 0; run < runs; run++)
    for (const teams of sizes)
      for (const name of names) await measure(name, teams, all.get(`${name} ${teams}`))
  for (const name of names) {
    const first = median(all.get(`${name} ${sizes[0]}`)?.cpu ?? [])
    for (const teams of sizes) {
      const { cpu, rest, memory } = all.get(`${name} ${teams}`) ?? { cpu: [], rest: [], memory: [] }
      const growth = (median(cpu) / first - 1) * 100
      console.log(
        `${name}, ${teams} teams of ${size}, ${changesPerSecond} changes a second: ${spread(cpu, 0)} µs per change (${growth.toFixed(0)} % against the fewest; ${spread(rest, 0)} µs of it would be there without any), ${spread(memory, 1)} KB per connection`,
      )
    }
  }
}

async function measure(name: ServerName, teams: number, figures: Figures | undefined): Promise<void> {
  const { size, changesPerSecond: perSecond, seconds } = workload
  await withServer(name, async (server) => {
    const empty = server.memory
    await server.connect(teams, size)
    await pause(1500)
    figures?.memory.push((server.memory - empty) / 1024 / (teams * size))
    await server.load.ask({ do: 'play', seconds: warmUpSeconds, perSecond })
    const idle = server.cpu.all
    await pause(restSeconds * 1000)
    figures?.rest.push(((server.cpu.all - idle) * 1e6) / (perSecond * restSeconds))
    const before = server.cpu.all
    const { sent } = await server.load.ask({ do: 'play', seconds, perSecond })
    figures?.cpu.push(((server.cpu.all - before) * 1e6) / sent)
  })
}
