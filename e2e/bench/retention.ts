/**
 * `node --import tsx e2e/bench/retention.ts`: fan-out of one relay with many sessions, in turn without expiry and while half of them
 * expire. A relay deletes what is idle when it starts, so each turn is a start of its own on a copy of the same database.
 * SESSIONS, ENTRIES (of each), TEAMS, SIZE, CHANGES (a second), SECONDS and RUNS change the workload, PROGRAM is another build. With FOLLOW=0 the last
 * expiry is not followed to its end. Linux only.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { freePort } from '../../relay/free-port.testing.ts'
import { databaseName } from '../../relay/store/database.ts'
import { median, memoryOf, pause } from './figures.ts'
import type { Played } from './load.ts'
import { Load, listening } from './load-process.ts'
import { fillWithSessions } from './many-sessions.ts'

const sessions = Number(process.env.SESSIONS ?? 100_000)
const entries = Number(process.env.ENTRIES ?? 5)
const teams = Number(process.env.TEAMS ?? 100)
const size = Number(process.env.SIZE ?? 6)
const perSecond = Number(process.env.CHANGES ?? 500)
const seconds = Number(process.env.SECONDS ?? 8)
const runs = Number(process.env.RUNS ?? 3)
const isFollowed = process.env.FOLLOW !== '0'

const idleDays = 90
const figures = ['p50', 'p99', 'savedP50', 'savedP99'] as const

interface Turn {
  readonly played: Played
  readonly startMs: number
  readonly memory: number
}

const program = process.env.PROGRAM ?? 'dist/relay/main.js'
if (!existsSync(program)) throw new Error('Build first: npm run build')
const folder = mkdtempSync(join(tmpdir(), 'facedown-bench-'))
const full = join(folder, 'full')
try {
  const empty = await turn(undefined, false)
  console.log(`no sessions: starts in ${empty.startMs.toFixed(0)} ms, ${megabytes(empty.memory)} of memory`)
  fillWithSessions(full, sessions, entries, idleDays)
  console.log(
    `${sessions} sessions of ${entries} entries, half of them idle: ${megabytes(bytesIn(full))}\n${teams} teams of ${size}, ${perSecond} changes a second for ${seconds} s`,
  )
  const ratios: Record<(typeof figures)[number], number[]> = { p50: [], p99: [], savedP50: [], savedP99: [] }
  for (let run = 0; run < runs; run++) {
    // Which of the two comes first changes: a machine is not the same all the time.
    const first = run % 2 === 0 ? await turn(full, false) : undefined
    const during = await turn(full, true, isFollowed && run === runs - 1)
    const without = first ?? (await turn(full, false))
    for (const figure of figures) ratios[figure].push(during.played[figure] / without.played[figure])
    console.log(`run ${run + 1}, without expiry and during it: ${compared(without.played, during.played)}`)
    console.log(`  starts in ${without.startMs.toFixed(0)} ms, ${megabytes(without.memory)} of memory`)
  }
  console.log(
    `medians: ${figures.map((figure) => `${figure} × ${median(ratios[figure]).toFixed(2)}`).join(', ')}`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** One start, on a copy of a database or on an empty folder; the last one goes on until the expiry has ended. */
async function turn(from: string | undefined, isExpiring: boolean, isLast = false): Promise<Turn> {
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir)
  if (from) cpSync(from, dataDir, { recursive: true })
  const port = await freePort()
  const env = {
    ...process.env,
    PORT: String(port),
    HOST: '127.0.0.1',
    DATA_DIR: dataDir,
    SESSION_IDLE_DAYS: String(isExpiring ? idleDays - 1 : 36_500),
  }
  const started = performance.now()
  const server = spawn('taskset', ['-c', '0', process.execPath, program], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const load = new Load()
  try {
    await listening(port)
    const startMs = performance.now() - started
    const memory = memoryOf(server.pid)
    const began = performance.now()
    await load.ask({ do: 'connect', ports: [port], dialect: 'facedown', teams, size })
    const played = await play(load)
    if (isExpiring && idleIn(dataDir) === 0) console.log('  (it expired too soon: take more SESSIONS)')
    if (isLast) await follow(load, dataDir, began)
    return { played, startMs, memory }
  } finally {
    load.end()
    server.kill('SIGTERM')
    await once(server, 'exit')
    rmSync(dataDir, { recursive: true })
  }
}

async function play(load: Load): Promise<Played> {
  return await load.ask({ do: 'play', seconds, perSecond })
}

/** Until nothing is idle any more and nothing is given back. */
async function follow(load: Load, dataDir: string, began: number): Promise<void> {
  const before = bytesIn(dataDir)
  while (idleIn(dataDir) > 0) await pause(100)
  const seconds = (performance.now() - began) / 1000
  const expired = sessions / 2
  console.log(
    `  ${expired} sessions expired in ${seconds.toFixed(0)} s, ${(expired / seconds).toFixed(0)} a second`,
  )
  const giving = await play(load)
  const isGiving = (await givenBack(dataDir, 1000)) > 0
  while ((await givenBack(dataDir, 2000)) > 0);
  console.log(
    `  without giving back and during ${isGiving ? 'it' : 'its end'}: ${compared(await play(load), giving)}`,
  )
  console.log(
    `  the database had ${megabytes(before)}, now ${megabytes(bytesIn(dataDir))}, of it ${megabytes(freeIn(dataDir))} free; all took ${((performance.now() - began) / 1000).toFixed(0)} s`,
  )
}

/** How much that is in so many milliseconds. */
async function givenBack(dataDir: string, ms: number): Promise<number> {
  const before = freeIn(dataDir)
  await pause(ms)
  return before - freeIn(dataDir)
}

function compared(without: Played, during: Played): string {
  return figures
    .map((figure) => {
      const [quiet, busy] = [without[figure], during[figure]]
      return `${figure} ${quiet.toFixed(1)} and ${busy.toFixed(1)} ms (× ${(busy / quiet).toFixed(2)})`
    })
    .join(', ')
}

function idleIn(dataDir: string): number {
  return numberIn(dataDir, `SELECT count(*) FROM sessions WHERE day < 1`)
}

function freeIn(dataDir: string): number {
  return numberIn(dataDir, 'SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size')
}

function numberIn(dataDir: string, sql: string): number {
  const database = new Sqlite(join(dataDir, databaseName), { readonly: true })
  try {
    return Number(database.prepare(sql).pluck().get())
  } finally {
    database.close()
  }
}

function bytesIn(dataDir: string): number {
  return statSync(join(dataDir, databaseName)).size
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`
}
