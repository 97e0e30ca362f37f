import { against, median, spread } from '../figures.ts'
import { type ServerName, withServer } from '../server.ts'
import { warmUpSeconds, workload } from '../workload.ts'

const size = 8
/**
 * A round a minute is 25 changes of a team of eight (seals, keys, cards, a reveal, an estimate); somebody who types sends five a
 * second, and presence changes when people come and go, choose and type. So much each team sends a second.
 */
export const play = { changes: 1, signals: 0.5 } as const

/** A thousand teams in full play on one core. */
export async function playing(): Promise<void> {
  const { teams, runs } = workload
  const busy: number[] = []
  const over: number[] = []
  console.log(
    `${teams} teams of ${size}, each with ${play.changes} changes and ${play.signals} signals a second, ${runs} runs in turn`,
  )
  for (let run = 0; run < runs; run++) {
    const floor = await measure('floor')
    const own = await measure('facedown')
    busy.push(own.busy)
    over.push(own.p99 - floor.p99)
    console.log(
      `run ${run + 1}: floor ${percent(floor.busy)} busy, p99 ${floor.p99.toFixed(1)} ms; facedown ${percent(own.busy)} busy (sockets ${percent(own.sockets)}), p99 ${own.p99.toFixed(1)} ms, saved p99 ${own.savedP99.toFixed(1)} ms`,
    )
  }
  console.log(
    `core busy ${spread(
      busy.map((share) => share * 100),
      0,
    )} %, ${against(median(busy) * 100, 50)}`,
  )
  console.log(`p99 above the floor's ${spread(over, 1)} ms, ${against(median(over), 50)}`)
}

async function measure(name: ServerName) {
  const { teams, seconds } = workload
  return withServer(name, async (server) => {
    await server.connect(teams, size)
    const order = {
      do: 'play',
      perSecond: teams * play.changes,
      signalsPerSecond: teams * play.signals,
    } as const
    await server.load.ask({ ...order, seconds: warmUpSeconds })
    const before = server.cpu
    const began = performance.now()
    const { p99, savedP99 } = await server.load.ask({ ...order, seconds })
    const lasted = (performance.now() - began) / 1000 - 0.5 // it waits half a second in the end
    const { all, sockets } = server.cpu
    return { p99, savedP99, busy: (all - before.all) / lasted, sockets: (sockets - before.sockets) / lasted }
  })
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}
