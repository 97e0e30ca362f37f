import { pause } from '../figures.ts'
import { cpuByProcess, memoryByProcess, more, withRegion } from '../region-under-load.ts'
import { warmUpSeconds, workload } from '../workload.ts'
import { play } from './playing.ts'

const size = 8
const idleSeconds = 10

/** The same play as on a single process, in a region: HAProxy, two relays, NATS and two stores, all on this machine. */
export async function region(): Promise<void> {
  const { teams, seconds } = workload
  const sockets = teams * size
  await withRegion(2, async (region, load) => {
    const port = Number(new URL(region.url).port)
    const cpu = () => cpuByProcess(region, load)
    const [none, empty] = [cpu(), memoryByProcess(region, load)]
    await load.ask({ do: 'connect', ports: [port], dialect: 'facedown', teams, size })
    await pause(2000)
    const [connected, full] = [cpu(), memoryByProcess(region, load)]
    console.log(
      `${teams} teams of ${size} in a region; CPU per connection made: ${more(none, connected, { each: sockets, scale: 1e6, unit: 'µs' })}`,
    )
    console.log(
      `  memory per connection: ${more(empty, full, { each: sockets, scale: 1 / 1024, unit: 'KB', digits: 1 })}`,
    )
    const idle = cpu()
    await pause(idleSeconds * 1000)
    const each = sockets * idleSeconds
    console.log(
      `  connected and idle, CPU per connection and second: ${more(idle, cpu(), { each, scale: 1e6, unit: 'µs', digits: 1 })}`,
    )
    const order = {
      do: 'play',
      perSecond: teams * play.changes,
      signalsPerSecond: teams * play.signals,
    } as const
    await load.ask({ ...order, seconds: warmUpSeconds })
    const before = cpu()
    const began = performance.now()
    const played = await load.ask({ ...order, seconds })
    const after = cpu()
    const lasted = (performance.now() - began) / 1000
    const arrived = played.received / (played.sent * (size - 1))
    console.log(
      `each with ${play.changes} changes and ${play.signals} signals a second: p50 ${played.p50.toFixed(1)} ms, p99 ${played.p99.toFixed(1)} ms, saved p99 ${played.savedP99.toFixed(1)} ms, ${(arrived * 100).toFixed(1)} % arrived, ${((played.saved / played.sent) * 100).toFixed(1)} % saved`,
    )
    console.log(`  CPU per change: ${more(before, after, { each: played.sent, scale: 1e6, unit: 'µs' })}`)
    console.log(`  of a core: ${more(before, after, { each: lasted, scale: 100, unit: '%' })}`)
  })
}
