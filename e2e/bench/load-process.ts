import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Answers, Order } from './load.ts'

/** The load, a process of its own on the second core; what bears it is on the first. */
export class Load {
  readonly #process: ChildProcess

  constructor() {
    this.#process = fork(new URL('./load.ts', import.meta.url), {
      execArgv: ['--import', 'tsx'],
      serialization: 'advanced',
    })
    this.#process.setMaxListeners(0) // each order waits for its end, too
    spawn('taskset', ['-cp', '1', String(this.pid)], { stdio: 'ignore' })
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  async ask<Do extends Order['do']>(order: Extract<Order, { do: Do }>): Promise<Answers[Do]> {
    this.#process.send(order)
    const [answered] = await Promise.race([
      once(this.#process, 'message'),
      once(this.#process, 'exit').then(() => {
        throw new Error('The load ended early')
      }),
    ])
    return answered
  }

  end(): void {
    this.#process.kill()
  }
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
