import { against, pause } from '../figures.ts'
import { withServer } from '../server.ts'
import { workload } from '../workload.ts'

const size = 8
const seconds = Number(process.env.IDLE_SECONDS ?? 40)

/** Teams that are connected and do nothing. */
export async function idle(): Promise<void> {
  const { teams } = workload
  const sockets = teams * size
  for (const name of ['facedown', 'floor'] as const) {
    await withServer(name, async (server) => {
      await server.connect(teams, size)
      // Presence is told once, and what follows from connecting is done.
      await server.load.ask({ do: 'play', seconds: 2, perSecond: 0, signalsPerSecond: sockets / 2 })
      await pause(3000)
      const before = server.cpu
      const { frames, bytes } = await server.load.ask({ do: 'listen', seconds })
      const cpu = ((server.cpu.all - before.all) * 1e6) / sockets / seconds
      const framesPerTurn = (frames / sockets / seconds) * 20
      const goals = name === 'facedown' ? ` (${against(cpu, 4)})` : ''
      console.log(
        `${name}: ${teams} teams of ${size} idle for ${seconds} s: ${framesPerTurn.toFixed(2)} frames of ${(bytes / Math.max(1, frames)).toFixed(0)} bytes per connection in 20 s, ${cpu.toFixed(2)} µs of CPU per connection and second${goals}`,
      )
    })
  }
  const together = await memoryPerConnection(teams, size)
  const alone = await memoryPerConnection(sockets, 1)
  // Both are a connection and its share of a session.
  const session = (alone - together) / (1 - 1 / size)
  console.log(
    `facedown: ${together.toFixed(1)} KB per connection in teams of ${size}, ${alone.toFixed(1)} KB alone: ${(alone - session).toFixed(1)} KB for a connection and ${session.toFixed(1)} KB for a session that is open`,
  )
}

async function memoryPerConnection(teams: number, size: number): Promise<number> {
  return withServer('facedown', async (server) => {
    const before = server.memory
    await server.connect(teams, size)
    await pause(2000)
    return (server.memory - before) / 1024 / (teams * size)
  })
}
