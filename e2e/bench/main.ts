/**
 * `npm run bench`: the relay beside the raw `ws` floor and @y/websocket-server, in turn, several times; ratios count, not
 * times. TEAMS, SIZE, CHANGES (a second), SECONDS, RUNS and SERVERS
 * change the workload. Linux only: CPU comes from /proc.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../relay.ts'
import type { Dialect, Played } from './load.ts'
import { ask, listening, startLoad } from './load-process.ts'

const teams = Number(process.env.TEAMS ?? 1000)
const size = Number(process.env.SIZE ?? 6)
const perSecond = Number(process.env.CHANGES ?? 1000)
const seconds = Number(process.env.SECONDS ?? 8)
const runs = Number(process.env.RUNS ?? 5)

const servers = {
  floor: { program: 'e2e/bench/floor.mjs', dialect: 'plain' },
  'y-websocket-server': { program: 'e2e/bench/y-websocket.mjs', dialect: 'yjs' },
  facedown: { program: 'dist/relay/main.js', dialect: 'facedown' },
} as const satisfies Record<string, { program: string; dialect: Dialect }>
type Name = keyof typeof servers
const names = (process.env.SERVERS?.split(',') ?? Object.keys(servers)) as Name[]

interface Row {
  readonly cpuPerChange: number
  readonly cpuPerConnection: number
  readonly bytesPerConnection: number
  readonly p99: number
  readonly savedP99: number
  readonly arrived: number
}

if (!existsSync('dist/relay/main.js')) throw new Error('Build first: npm run build')
const rows: Record<Name, Row[]> = { floor: [], 'y-websocket-server': [], facedown: [] }
console.log(`${teams} teams of ${size}, ${perSecond} changes a second for ${seconds} s, ${runs} runs in turn`)
for (let run = 0; run < runs; run++) {
  for (const name of names) {
    const row = await measure(name)
    rows[name].push(row)
    console.log(`run ${run + 1} ${name.padEnd(20)} ${format(row)}`)
  }
}
console.log('\nmedians, and ratios to the floor of the same run (median, lowest to highest)')
for (const name of names) {
  console.log(`${name.padEnd(20)} ${format(medianRow(rows[name]))}`)
  if (name === 'floor') continue
  for (const figure of ['cpuPerChange', 'cpuPerConnection', 'bytesPerConnection', 'p99'] as const) {
    const ratios = rows[name]
      .map((row, run) => row[figure] / (rows.floor[run] as Row)[figure])
      .sort((a, b) => a - b)
    const [low, high] = [ratios[0] ?? 0, ratios.at(-1) ?? 0]
    console.log(
      `  ${figure.padEnd(20)} × ${median(ratios).toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`,
    )
  }
}
process.exit(0)

async function measure(name: Name): Promise<Row> {
  const { program, dialect } = servers[name]
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'facedown-bench-'))
  const server = spawn('taskset', ['-c', '0', process.execPath, program], {
    env: { ...process.env, PORT: String(port), HOST: '127.0.0.1', DATA_DIR: folder },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const load = startLoad()
  try {
    await listening(port)
    const pid = server.pid as number
    const before = { cpu: cpuOf(pid), memory: memoryOf(pid) }
    await ask(load, { do: 'connect', port, dialect, teams, size })
    await new Promise((resolve) => setTimeout(resolve, 1500))
    const connected = { cpu: cpuOf(pid), memory: memoryOf(pid) }
    const played = (await ask(load, { do: 'play', seconds, perSecond })) as Played
    const busy = cpuOf(pid) - connected.cpu
    const sockets = teams * size
    return {
      cpuPerChange: (busy * 1e6) / played.sent,
      cpuPerConnection: ((connected.cpu - before.cpu) * 1e6) / sockets,
      bytesPerConnection: (connected.memory - before.memory) / sockets,
      p99: played.p99,
      savedP99: played.savedP99,
      arrived: played.received / (played.sent * (size - 1)),
    }
  } finally {
    load.kill()
    server.kill('SIGKILL')
    await once(server, 'exit')
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Seconds of CPU of all threads so far. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

function medianRow(all: readonly Row[]): Row {
  const of = (figure: keyof Row) => median(all.map((row) => row[figure]))
  return {
    cpuPerChange: of('cpuPerChange'),
    cpuPerConnection: of('cpuPerConnection'),
    bytesPerConnection: of('bytesPerConnection'),
    p99: of('p99'),
    savedP99: of('savedP99'),
    arrived: of('arrived'),
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function format(row: Row): string {
  return [
    `${row.cpuPerChange.toFixed(0)} µs per change`,
    `${row.cpuPerConnection.toFixed(0)} µs per connection`,
    `${(row.bytesPerConnection / 1024).toFixed(1)} KB per connection`,
    `p99 ${row.p99.toFixed(1)} ms`,
    ...(Number.isNaN(row.savedP99) ? [] : [`saved p99 ${row.savedP99.toFixed(1)} ms`]),
    `${(row.arrived * 100).toFixed(1)} % arrived`,
  ].join(', ')
}
