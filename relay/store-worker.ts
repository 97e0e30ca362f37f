import { parentPort, workerData } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'
import { packRows, unpackRows } from './batch.ts'
import { type OpenDatabase, openDatabase } from './database.ts'
import { LogTables } from './log-tables.ts'
import { ReadTables } from './read-tables.ts'
import { SetupError } from './setup-error.ts'
import { SnapshotTables } from './snapshot-tables.ts'
import type { Appended, Unreachable } from './store.ts'
import type { Answer, FromStore, Request, StoreOptions, ToStore } from './store-protocol.ts'
import { startSweeping } from './sweep.ts'

/** The store's thread: it waits for the disk so that no socket has to. */
function start(options: StoreOptions, open: OpenDatabase): void {
  const { database, origin } = open
  const logs = new LogTables(database, options.sessionMaxBytes)
  const reads = new ReadTables(database, (table) => post({ type: 'damagedRow', table }))
  const snapshots = new SnapshotTables(database, logs, reads)
  const countCheck = database.prepare(`UPDATE facts SET value = value + 1 WHERE name = 'check'`)
  const stopSweeping = startSweeping(database, logs, options.sessionIdleDays, (sessions) =>
    post({ type: 'expired', sessions }),
  )

  parentPort?.on('message', ({ appends, requests }: ToStore) => {
    const unusual = appends ? append(appends) : []
    const answers = requests.map(answer)
    const buffers = answers.flatMap((made) => (made.outcome === 'page' ? [made.rows] : []))
    post({ type: 'answers', unusual, answers }, buffers)
    if (requests.some(({ type }) => type === 'close')) parentPort?.close()
  })
  post({ type: 'opened', origin })

  function append(packed: ArrayBuffer): [number, Appended][] {
    const rows = unpackRows(packed)
    const done = commit(() => rows.map((row) => logs.append(row)))
    if ('reason' in done) return rows.map((_, at) => [at, done])
    return done.value.flatMap((made, at): [number, Appended][] => (isOrdinary(made) ? [] : [[at, made]]))
  }

  function answer(request: Request): Answer {
    switch (request.type) {
      case 'since':
        return result(commit(() => since(request.session, request.after, request.generation)))
      case 'snapshot': {
        const { session, covers, replaces, envelope } = request
        return result(commit(() => snapshots.put(session, covers, replaces, envelope)))
      }
      case 'head':
        return result(commit(() => logs.head(request.session)))
      case 'check':
        return result(commit(() => countCheck.run() && { outcome: 'ready' as const }))
      case 'limit':
        limit(request.bytes)
        return { outcome: 'ready' }
      case 'close':
        stopSweeping()
        open.close()
        return { outcome: 'ready' }
    }
  }

  function since(id: string, after: Parameters<typeof reads.since>[1], generation: number): Answer {
    const session = logs.find(id)
    if (!session) {
      const rows = new ArrayBuffer(0)
      return { outcome: 'page', resumed: false, snapshot: undefined, rows, upTo: undefined, more: false }
    }
    if (session.day !== logs.day) logs.touch(session)
    const { rows, ...page } = reads.since(session.key, after, generation)
    return { outcome: 'page', ...page, rows: packRows(rows) }
  }

  function limit(bytes: number | undefined): void {
    const pageSize = Number(database.pragma('page_size', { simple: true }))
    database.pragma(`max_page_count = ${bytes === undefined ? 4294967294 : Math.ceil(bytes / pageSize)}`)
  }

  /** One transaction; when the disk is full, once more after giving the write-ahead log back to it. */
  function commit<Value>(work: () => Value): { value: Value } | Unreachable {
    const first = tryCommit(work)
    if ('value' in first || first.reason !== 'full') return first
    try {
      database.pragma('wal_checkpoint(TRUNCATE)')
    } catch {
      return first // the checkpoint needs the disk as well: then it is simply still full
    }
    return tryCommit(work)
  }

  function tryCommit<Value>(work: () => Value): { value: Value } | Unreachable {
    try {
      return { value: database.transaction(work).immediate() }
    } catch (error) {
      if (!(error instanceof Sqlite.SqliteError)) throw error
      logs.forgetAll()
      const reason = error.code === 'SQLITE_FULL' ? 'full' : 'unreachable'
      post({ type: 'refused', reason, code: error.code })
      return { outcome: 'refused', reason }
    }
  }
}

function result<Made>(done: { value: Made } | Unreachable): Made | Unreachable {
  return 'value' in done ? done.value : done
}

function isOrdinary(appended: Appended): boolean {
  return appended.outcome === 'saved' && !appended.compact
}

function post(message: FromStore, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer)
}

const options: StoreOptions = workerData
try {
  start(options, openDatabase(options.dataDir, options.region))
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  post({ type: 'notOpened', words: error.message })
}
