import { Worker } from 'node:worker_threads'
import { storeThread } from './store-thread.ts'

/** What the store's thread is started with to copy a database instead, and then end. */
export interface CopyJob {
  readonly from: string
  readonly to: string
}

/** Copies a database in a thread of its own: it waits for the disk, and breathes by standing still. */
export function copyApart(job: CopyJob): Promise<void> {
  const worker = new Worker(storeThread(), { workerData: job, execArgv: [] })
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`The copying thread ended with ${code}`)),
    )
  })
}
