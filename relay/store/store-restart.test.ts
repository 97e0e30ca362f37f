import type { Worker } from 'node:worker_threads'
import { expect, test, vi } from 'vitest'
import { newFolder } from '../fixtures.testing.ts'
import { openSqliteStore, type SqliteStore } from './sqlite-store.ts'

const threads: Worker[] = []

vi.mock('node:worker_threads', async (load) => {
  const threading = await load<typeof import('node:worker_threads')>()
  class Noted extends threading.Worker {
    constructor(...words: ConstructorParameters<typeof Worker>) {
      super(...words)
      threads.push(this)
    }
  }
  return { ...threading, Worker: Noted }
})

function open(dataDir: string, said: string[] = []): Promise<SqliteStore> {
  const options = { dataDir, region: 'local', sessionMaxBytes: 16 << 20, sessionIdleDays: 90 }
  return openSqliteStore(options, ({ event }) => said.push(event))
}

test('a store that is closed while its thread begins again leaves its folder to others', async () => {
  const dataDir = newFolder()
  const said: string[] = []
  const store = await open(dataDir, said)
  await threads.at(-1)?.terminate()
  expect(said).toEqual(['storeRestarting'])
  await store.close()
  expect(threads.map(({ threadId }) => threadId)).toEqual([-1, -1]) // both have ended
  const next = await open(dataDir)
  expect(await next.check()).toEqual({ outcome: 'ready' })
  await next.close()
})
