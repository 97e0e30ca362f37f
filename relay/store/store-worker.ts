import { parentPort, workerData } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'
import { copyDatabase } from '../commands/copy-database.ts'
import { SetupError } from '../settings/setup-error.ts'
import { unpackRows } from './batch.ts'
import type { CopyJob } from './copy-thread.ts'
import { openDatabase } from './database.ts'
import { Engine } from './engine.ts'
import type { Appended } from './store.ts'
import type { FromStore, StoreOptions, ToStore } from './store-protocol.ts'

/** The store's thread: it waits for the disk so that no socket has to. */
function start(options: StoreOptions): void {
  const open = openDatabase(options.dataDir, options.region, options.origin)
  post({ type: 'opened', origin: open.origin })
  const engine = new Engine(open, options, post)

  const obey = ({ appends, requests }: ToStore) => {
    const began = performance.now()
    const appended = appends ? engine.append(unpackRows(appends)) : []
    const commitMs = performance.now() - began
    const unusual = appended.flatMap((one, at): [number, Appended][] => (isOrdinary(one) ? [] : [[at, one]]))
    const answers = engine.answerAll(requests)
    const buffers = answers.flatMap((answer) => (answer.outcome === 'page' ? [answer.rows] : []))
    post({ type: 'answers', unusual, answers, commitMs }, buffers)
    if (requests.some(({ type }) => type === 'close')) parentPort?.close()
  }
  parentPort?.on('message', (message: ToStore) => {
    try {
      obey(message)
    } catch (error) {
      throw worded(error)
    }
  })
}

/** An error of SQLite's loses its words and its stack when it leaves a thread. */
function worded(error: unknown): unknown {
  if (!(error instanceof Sqlite.SqliteError)) return error
  const { code, message, stack } = error
  return Object.assign(new Error(`${code}: ${message}`), { code, stack })
}

function isOrdinary(appended: Appended): boolean {
  return appended.outcome === 'saved' && !appended.compact
}

function post(message: FromStore, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer)
}

const job = workerData as StoreOptions | CopyJob
try {
  if ('from' in job) await copyDatabase(job.from, job.to)
  else start(job)
} catch (error) {
  if (!(error instanceof SetupError)) throw worded(error)
  post({ type: 'notOpened', words: error.message })
}
