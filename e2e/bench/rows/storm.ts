import { against, quantile } from '../figures.ts'
import { withServer } from '../server.ts'

const clients = Number(process.env.CLIENTS ?? 2000)
const sessions = Number(process.env.SESSIONS ?? 200)
const changes = 50

/** Everybody comes at nine. */
export async function storm(): Promise<void> {
  await withServer(
    'facedown',
    async (server) => {
      const { port, load } = server
      await load.ask({ do: 'fill', port, sessions, changes })
      const before = server.cpu
      const { times, begunMs, loadSeconds } = await load.ask({
        do: 'storm',
        port,
        changes,
        clients,
        withinMs: 1000,
      })
      const after = server.cpu
      const p99 = quantile(times, 0.99) / 1000
      console.log(
        `${clients} clients into ${sessions} sessions of ${changes} changes, all begun within ${(begunMs / 1000).toFixed(2)} s: p50 ${(quantile(times, 0.5) / 1000).toFixed(2)} s, p99 ${p99.toFixed(2)} s, ${against(p99, 3)}`,
      )
      console.log(
        `CPU of the relay ${(after.all - before.all).toFixed(2)} s (sockets ${(after.sockets - before.sockets).toFixed(2)}), of the load ${loadSeconds.toFixed(2)} s`,
      )
    },
    { NEW_CONNECTIONS_PER_SECOND: '1000' },
  )
}
