/**
 * `node --import tsx e2e/bench/backup.ts`: fan-out of one relay with and without backups, in turn. Each full backup goes to
 * a folder of its own, one after the other, which is more than anybody does. TEAMS, SIZE, CHANGES (a second), SECONDS, RUNS and
 * MEGABYTES (of the database) change the workload. Linux only.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../relay/free-port.testing.ts'
import { openDatabase } from '../../relay/store/database.ts'
import { checksumOf } from '../../relay/store/hash.ts'
import { LogTables } from '../../relay/store/log-tables.ts'
import { SessionTable } from '../../relay/store/session-table.ts'
import { entryKinds } from '../../relay/store/store.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { median } from './figures.ts'
import type { Played } from './load.ts'
import { Load, listening } from './load-process.ts'

const teams = Number(process.env.TEAMS ?? 300)
const size = Number(process.env.SIZE ?? 6)
const perSecond = Number(process.env.CHANGES ?? 1000)
const seconds = Number(process.env.SECONDS ?? 8)
const runs = Number(process.env.RUNS ?? 5)
const megabytes = Number(process.env.MEGABYTES ?? 200)

const program = 'dist/relay/facedown.js'
if (!existsSync(program)) throw new Error('Build first: npm run build')
const folder = mkdtempSync(join(tmpdir(), 'facedown-bench-'))
const dataDir = join(folder, 'data')
fill(dataDir, megabytes)
const port = await freePort()
const env = { ...process.env, PORT: String(port), HOST: '127.0.0.1', DATA_DIR: dataDir }
const server = spawn('taskset', ['-c', '0', process.execPath, program, 'start'], {
  env,
  stdio: ['ignore', 'ignore', 'inherit'],
})
const load = new Load()
try {
  await listening(port)
  await load.ask({ do: 'connect', ports: [port], dialect: 'facedown', teams, size })
  await playOnce() // warms up
  console.log(
    `${teams} teams of ${size}, ${perSecond} changes a second for ${seconds} s, database of ${megabytes} MB`,
  )
  const ratios: { fanOut: number; saved: number }[] = []
  for (let run = 0; run < runs; run++) {
    // Which of the two comes first changes: a machine is not the same all the time.
    const first = run % 2 === 0 ? await playOnce() : undefined
    const backups = backUpUntilStopped()
    const during = await playOnce()
    const made = await backups.stop()
    const without = first ?? (await playOnce())
    ratios.push({ fanOut: during.p99 / without.p99, saved: during.savedP99 / without.savedP99 })
    console.log(
      `run ${run + 1}: p99 ${without.p99.toFixed(1)} ms, with backups ${during.p99.toFixed(1)} ms (× ${(during.p99 / without.p99).toFixed(2)}); saved p99 ${without.savedP99.toFixed(1)} and ${during.savedP99.toFixed(1)} ms; ${made} backups`,
    )
  }
  console.log(
    `medians: fan-out p99 × ${median(ratios.map(({ fanOut }) => fanOut)).toFixed(2)}, saved p99 × ${median(ratios.map(({ saved }) => saved)).toFixed(2)}`,
  )
} finally {
  load.end()
  server.kill('SIGKILL')
  await once(server, 'exit')
  rmSync(folder, { recursive: true, force: true })
}

async function playOnce(): Promise<Played> {
  return await load.ask({ do: 'play', seconds, perSecond })
}

function backUpUntilStopped() {
  let isStopped = false
  let made = 0
  const work = async () => {
    while (!isStopped) {
      const target = join(folder, `backup-${made}`)
      const command = spawn(process.execPath, [program, 'backup', target], {
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      const [code] = await once(command, 'exit')
      if (code !== 0) throw new Error(`A backup ended with ${code}`)
      rmSync(target, { recursive: true })
      made++
    }
  }
  const ended = work()
  return {
    stop: async () => {
      isStopped = true
      await ended
      return made
    },
  }
}

/** As sessions of some time leave it behind. */
function fill(place: string, size: number): void {
  const { database, close } = openDatabase(place, 'local')
  const logs = new LogTables(database, new SessionTable(database, 1 << 30))
  const add = database.transaction((entries: number) => {
    const { session } = createSessionKeys()
    for (let sequence = 1; sequence <= entries; sequence++) {
      const envelope = randomBytes(1000)
      const checksum = checksumOf(envelope)
      logs.append({ session, sequence, previous: sequence - 1, checksum, kind: entryKinds.change, envelope })
    }
  })
  for (let done = 0; done < size; done++) add(800)
  close()
}
