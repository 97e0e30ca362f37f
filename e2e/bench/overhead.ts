/**
 * `node --import tsx e2e/bench/overhead.ts`: what watching a relay costs. Per change by one relay that counts and times every other second only:
 * two processes of the same program differ by more than what is looked for. What does not grow with the changes, an idle second and a scrape, by
 * two relays of which one has no metrics, log and status page at all. TEAMS, SIZE, CHANGES (a second), SECONDS (of a turn), TURNS and RUNS (starts)
 * change the workload. Linux only.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build, type Plugin } from 'vite'
import { freePort } from '../../relay/free-port.testing.ts'
import { median, pause, quantile } from './figures.ts'
import { Load, listening } from './load-process.ts'

const teams = Number(process.env.TEAMS ?? 300)
const size = Number(process.env.SIZE ?? 6)
const perSecond = Number(process.env.CHANGES ?? 1000)
const seconds = Number(process.env.SECONDS ?? 1)
const turns = Number(process.env.TURNS ?? 20)
const runs = Number(process.env.RUNS ?? 3)
const idleMs = 10_000
/** As often as Prometheus looks, unless it is told otherwise. */
const scrapedEverySecond = 1 / 15

const changed = {
  /** Does what it does, or hands over, as its parent last said. */
  switched: {
    name: 'switched',
    transform: {
      filter: { id: /\/relay\/measured-bus\.ts$/ },
      handler(code) {
        const switched = code
          .replace(
            /(\n\s+append\(session, author, envelope\) \{)/,
            '$1 if (isOff) return this.#bus.append(session, author, envelope)\n',
          )
          .replace(
            /(\n\s+entry\(author, at, envelope, kind\) \{)/,
            '$1 if (isOff) return this.#subscriber.entry(author, at, envelope, kind)\n',
          )
        if (switched.split('if (isOff)').length !== 3) this.error('The bus is measured elsewhere now')
        return `let isOff = false\nprocess.on('message', (said) => { isOff = said === 'off' })\n${switched}`
      },
    },
  },
  unwatched: {
    name: 'unwatched',
    enforce: 'pre',
    resolveId: {
      filter: { id: /^\.\/(meters|measured-bus|status-history|log)\.ts$/ },
      handler: () => resolve('e2e/bench/unwatched.ts'),
    },
  },
} as const satisfies Record<string, Plugin>
type Name = keyof typeof changed

interface Running {
  readonly port: number
  readonly server: ChildProcess
}

const folder = mkdtempSync(join(tmpdir(), 'facedown-bench-'))
const running: Running[] = []
try {
  for (const name of ['switched', 'unwatched'] as const) await make(name)
  const perChange = await costPerChange()
  const perSecondWatched = await costPerSecond()
  const share = (perChange.cost + (perSecondWatched * 1000) / perSecond) / perChange.off
  console.log(
    `all together at ${perSecond} changes a second, scraped every ${1 / scrapedEverySecond} s: ${(share * 100).toFixed(1)} % of CPU`,
  )
} finally {
  for (const one of running.splice(0)) await stop(one)
  rmSync(folder, { recursive: true, force: true })
}
process.exit(0)

/** In microseconds: without watching, and what that adds. */
async function costPerChange(): Promise<{ readonly off: number; readonly cost: number }> {
  console.log(
    `${teams} teams of ${size}, ${perSecond} changes a second, ${turns} turns of ${seconds} s off and on, ${runs} starts`,
  )
  const [off, costs]: [number[], number[]] = [[], []]
  for (let run = 0; run < runs; run++) {
    const relay = await start('switched')
    const load = new Load()
    await load.ask({ do: 'connect', ports: [relay.port], dialect: 'facedown', teams, size })
    const play = async (how: 'on' | 'off') => {
      relay.server.send(how)
      const before = cpuOf(relay)
      const played = await load.ask({ do: 'play', seconds, perSecond })
      return (cpuOf(relay) - before) / played.sent
    }
    for (const how of ['on', 'off', 'on', 'off'] as const) await play(how) // warms both ways up
    for (let turn = 0; turn < turns; turn++) {
      // Which comes first changes, so that what drifts counts for both.
      const first = turn % 2 === 0 ? 'on' : 'off'
      const [one, other] = [await play(first), await play(first === 'on' ? 'off' : 'on')]
      off.push(first === 'off' ? one : other)
      costs.push(first === 'on' ? one - other : other - one)
    }
    load.end()
    await stop(relay)
  }
  // Where the median of all lies, with 95 % certainty: the binomial interval of the sign test.
  const margin = 0.98 / Math.sqrt(costs.length)
  const [low, cost, high] = [0.5 - margin, 0.5, 0.5 + margin].map((share) => quantile(costs, share))
  console.log(
    `per change: ${median(off).toFixed(1)} µs without, ${cost?.toFixed(1)} µs more with metrics (95 % certain: ${low?.toFixed(1)} to ${high?.toFixed(1)})`,
  )
  return { off: median(off), cost: cost ?? Number.NaN }
}

/** In milliseconds: what watching adds to each second, whether anything happens or not. */
async function costPerSecond(): Promise<number> {
  const [watched, unwatched] = [await start('switched'), await start('unwatched')]
  await pause(2000) // until both have come to rest
  const idle: number[] = []
  for (let run = 0; run < runs; run++) {
    const before = [cpuOf(watched), cpuOf(unwatched)] as const
    await pause(idleMs)
    idle.push((cpuOf(watched) - before[0] - (cpuOf(unwatched) - before[1])) / idleMs)
  }
  const scrapes: number[] = []
  for (let times = 0; times < 30; times++) {
    const before = cpuOf(watched)
    await (await fetch(`http://127.0.0.1:${watched.port}/metrics`)).text()
    scrapes.push((cpuOf(watched) - before) / 1000)
  }
  const [everySecond, scrape] = [median(idle), median(scrapes)]
  console.log(`each second: ${everySecond.toFixed(2)} ms; each scrape: ${scrape.toFixed(2)} ms`)
  return everySecond + scrape * scrapedEverySecond
}

async function start(name: Name): Promise<Running> {
  const port = await freePort()
  const server = spawn('taskset', ['-c', '0', process.execPath, join(folder, name, 'dist/relay/main.js')], {
    env: {
      ...process.env,
      PORT: String(port),
      HOST: '127.0.0.1',
      DATA_DIR: mkdtempSync(join(folder, 'data-')),
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const relay = { port, server }
  running.push(relay)
  await listening(port)
  return relay
}

async function stop(relay: Running): Promise<void> {
  running.splice(running.indexOf(relay), running.includes(relay) ? 1 : 0)
  relay.server.kill('SIGKILL')
  await once(relay.server, 'exit')
}

async function make(name: Name): Promise<void> {
  const outDir = join(folder, name, 'dist/relay')
  mkdirSync(outDir, { recursive: true })
  symlinkSync(resolve('node_modules'), join(folder, name, 'node_modules'))
  await build({
    logLevel: 'error',
    plugins: [changed[name]],
    build: { ssr: true, outDir },
  })
}

/** What the scheduler has given all threads, in microseconds: finer than the ticks of `/proc/<pid>/stat`. */
function cpuOf({ server }: Running): number {
  return readdirSync(`/proc/${server.pid}/task`)
    .map((thread) => readFileSync(`/proc/${server.pid}/task/${thread}/schedstat`, 'utf8'))
    .reduce((sum, stat) => sum + Number(stat.split(' ')[0]) / 1000, 0)
}
