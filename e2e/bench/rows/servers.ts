import { against, median, pause, spread } from '../figures.ts'
import type { Played } from '../load.ts'
import { type ServerName, servers, withServer } from '../server.ts'
import { warmUpSeconds, workload } from '../workload.ts'

interface Row {
  readonly cpuPerChange: number
  readonly cpuPerConnection: number
  readonly bytesPerConnection: number
  readonly p99: number
  readonly savedP99: number
  /** Some servers send a change back to its author, too. */
  readonly received: number
  readonly loadBusy: number
  /** Of the CPU per change, in the thread of the sockets. */
  readonly socketsShare: number
}

const goals = { cpuPerChange: 1.5, cpuPerConnection: 3, bytesPerConnection: 1.1, p99: 1.25 } as const

/** The relay beside the raw `ws` floor and other servers, in turn. */
export async function compareServers(): Promise<void> {
  const { teams, size, changesPerSecond, seconds, runs } = workload
  const names = (process.env.SERVERS?.split(',') ?? Object.keys(servers)) as ServerName[]
  const rows: Record<ServerName, Row[]> = {
    floor: [],
    'y-websocket-server': [],
    hocuspocus: [],
    facedown: [],
  }
  console.log(
    `${teams} teams of ${size}, ${changesPerSecond} changes a second for ${seconds} s, ${runs} runs in turn`,
  )
  for (let run = 0; run < runs; run++) {
    for (const name of names) {
      const row = await measure(name)
      rows[name].push(row)
      console.log(`run ${run + 1} ${name.padEnd(20)} ${format(row)}`)
    }
  }
  console.log('medians, and ratios to the floor of the same run (median, lowest to highest)')
  for (const name of names) {
    console.log(`${name.padEnd(20)} ${format(medianRow(rows[name]))}`)
    if (name === 'floor') continue
    for (const figure of ['cpuPerChange', 'cpuPerConnection', 'bytesPerConnection', 'p99'] as const) {
      const ratios = rows[name].map((row, run) => row[figure] / (rows.floor[run]?.[figure] ?? Number.NaN))
      const goal = name === 'facedown' ? `, ${against(median(ratios), goals[figure])}` : ''
      console.log(`  ${figure.padEnd(20)} × ${spread(ratios)}${goal}`)
    }
  }
}

async function measure(name: ServerName): Promise<Row> {
  const { teams, size, changesPerSecond: perSecond, seconds } = workload
  return withServer(name, async (server) => {
    await server.connect(Math.ceil(teams / 4), size) // engines compile what is used often, once
    await pause(1000)
    const before = { cpu: server.cpu, memory: server.memory }
    await server.connect(teams, size)
    await pause(1500)
    const connected = { cpu: server.cpu, memory: server.memory }
    await server.load.ask({ do: 'play', seconds: warmUpSeconds, perSecond })
    const warm = server.cpu
    const played: Played = await server.load.ask({ do: 'play', seconds, perSecond })
    const { cpu } = server
    const sockets = teams * size
    const busy = cpu.all - warm.all
    return {
      cpuPerChange: (busy * 1e6) / played.sent,
      cpuPerConnection: ((connected.cpu.all - before.cpu.all) * 1e6) / sockets,
      bytesPerConnection: (connected.memory - before.memory) / sockets,
      p99: played.p99,
      savedP99: played.savedP99,
      received: played.received / (played.sent * (size - 1)),
      loadBusy: played.loadBusy,
      socketsShare: (cpu.sockets - warm.sockets) / busy,
    }
  })
}

function medianRow(all: readonly Row[]): Row {
  const of = (figure: keyof Row) => median(all.map((row) => row[figure]))
  return {
    cpuPerChange: of('cpuPerChange'),
    cpuPerConnection: of('cpuPerConnection'),
    bytesPerConnection: of('bytesPerConnection'),
    p99: of('p99'),
    savedP99: of('savedP99'),
    received: of('received'),
    loadBusy: of('loadBusy'),
    socketsShare: of('socketsShare'),
  }
}

function format(row: Row): string {
  return [
    `${row.cpuPerChange.toFixed(0)} µs per change (${(row.socketsShare * 100).toFixed(0)} % of it where the sockets are)`,
    `${row.cpuPerConnection.toFixed(0)} µs per connection`,
    `${(row.bytesPerConnection / 1024).toFixed(1)} KB per connection`,
    `p99 ${row.p99.toFixed(1)} ms`,
    ...(Number.isNaN(row.savedP99) ? [] : [`saved p99 ${row.savedP99.toFixed(1)} ms`]),
    `${(row.received * 100).toFixed(1)} % arrived`,
    `load ${(row.loadBusy * 100).toFixed(0)} % busy`,
  ].join(', ')
}
