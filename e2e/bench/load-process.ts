import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Order } from './load.ts'

/** The load on the second core; what bears it is on the first. */
export function startLoad(): ChildProcess {
  const load = fork(new URL('./load.ts', import.meta.url), {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
  })
  load.setMaxListeners(0) // each order waits for its end, too
  spawn('taskset', ['-cp', '1', String(load.pid)], { stdio: 'ignore' })
  return load
}

export async function ask(load: ChildProcess, order: Order): Promise<unknown> {
  load.send(order)
  const [answered] = await Promise.race([
    once(load, 'message'),
    once(load, 'exit').then(() => {
      throw new Error('The load ended early')
    }),
  ])
  return answered
}

export async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const answered = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1000) }).then(
      () => true,
      (error) => !String(error.cause).includes('ECONNREFUSED'),
    )
    if (answered) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('The server does not listen')
}
