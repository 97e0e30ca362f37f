import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import { Server as NetServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { openBackend } from './backend.ts'
import { MeasuredBus } from './bus/measured-bus.ts'
import type { Surroundings } from './connections/connection.ts'
import { Connections } from './connections/connections.ts'
import { type Limits, limitsOf } from './connections/limits.ts'
import { Polls } from './connections/polls.ts'
import { countRefusals } from './connections/refusals.ts'
import { useLibsodium } from './connections/signature.ts'
import { acceptSockets } from './connections/sockets.ts'
import { createApp } from './http/app.ts'
import { readClientFiles } from './http/files.ts'
import { listen } from './http/listen.ts'
import { Meters } from './operators/meters.ts'
import type { Reporter } from './operators/report.ts'
import { StatusHistory } from './operators/status-history.ts'
import type { Traces } from './operators/traces.ts'
import { watchRelay } from './operators/watch-relay.ts'
import { createWatching } from './operators/watching.ts'
import { Rooms } from './rooms/rooms.ts'
import type { Config } from './settings/config.ts'
import type { SqliteStore } from './store/sqlite-store.ts'

export interface RunningRelay {
  readonly port: number
  /** Where it answers what operators ask; the same unless it has a port of its own. */
  readonly metricsPort: number
  /** Of a relay whose stores are other processes there is none. */
  readonly store: SqliteStore | undefined
  /** Tells the clients, commits what they sent, closes everything. */
  stop(): Promise<void>
}

/** How long `stop` waits for commits before it closes sockets anyway. */
const settleMs = 3000
/** And for answers to leave before it cuts them. */
const endMs = 1000

const metricsNames = { host: 'METRICS_HOST', port: 'METRICS_PORT' }

/** Starts everything one process needs: bus, store, sockets and pages. */
export async function startRelay(
  config: Config,
  reporter: Reporter,
  limits: Limits = limitsOf(config),
  meters: Meters = new Meters(),
): Promise<RunningRelay> {
  const report = meters.reporting(reporter)
  const traces = await openTraces(config, report)
  const backend = await openBackend(config, report, meters, traces)
  const { store } = backend
  const bus = new MeasuredBus(backend.bus, meters, traces)
  const refusals = countRefusals(report)
  const surroundings: Surroundings = {
    rooms: new Rooms(bus, store, meters.askedForLog),
    limits,
    now: () => performance.now(),
    random: pooledRandom(),
    refused: (reason) => {
      refusals.count(reason)
      meters.refused(reason)
    },
    caughtUp: meters.caughtUp,
    following: goesOn(config) ? (header) => traces?.following(header) : undefined,
  }
  const connections = new Connections(surroundings, config)
  const servesPeople = config.role !== 'store'
  const files = servesPeople ? readClientFiles(config.clientDir) : new Map()
  watchRelay(meters, config, surroundings, connections)
  const history = new StatusHistory(meters, config, backend.processes)
  const statusFiles = readClientFiles(config.statusDir)
  const watching = createWatching({ meters, history, files: statusFiles }, config)
  const { metricsHost, metricsPort } = config
  const isApart = metricsPort !== undefined
  const app = createApp({ config, store, connections, files, watching: isApart ? undefined : watching })
  const polls = new Polls(surroundings, connections, config)
  if (servesPeople) app.post('/sync/:session', (context) => polls.answer(context))
  const watchers: Server[] = []
  if (isApart) {
    const own = { host: metricsHost, port: metricsPort }
    watchers.push(...(await listen(watching.fetch, own, limits, metricsNames).catch(giveUp)))
  }
  const servers = await listen(app.fetch, config, limits).catch(giveUp)
  if (servesPeople) for (const server of servers) acceptSockets(server, connections, surroundings, config)
  const stopHistory = history.start()
  const port = portOf(servers)
  report({
    event: 'listening',
    url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`,
    region: config.region,
  })
  if (servesPeople) void useLibsodium()

  async function giveUp(error: unknown): Promise<never> {
    await connections.close()
    for (const server of watchers) server.close()
    await backend.close()
    await traces?.stop()
    throw error
  }

  async function stop(): Promise<void> {
    report({ event: 'stopping', connections: connections.open })
    // Meanwhile it listens: a balancer that finds nobody there cuts whom it has brought here.
    if (config.role === 'relay') await connections.handOver()
    const ended = Promise.all(servers.map(stopListening))
    connections.goAway()
    await Promise.race([bus.settled(), new Promise((resolve) => setTimeout(resolve, settleMs).unref())])
    await connections.close()
    // Those who poll hear it in an answer, and that has to leave.
    await Promise.race([ended, letLeave()])
    for (const server of servers) server.close().closeAllConnections()
    for (const server of watchers) server.close().closeAllConnections()
    refusals.stop()
    stopHistory()
    await backend.close()
    await traces?.stop()
    report({ event: 'stopped' })
  }

  /** Once they have fetched all that was left for them, their connections only wait for more. */
  async function letLeave(): Promise<void> {
    for (let waited = 0; waited < endMs; waited += 10) {
      if (polls.open === 0) for (const server of servers) server.closeIdleConnections()
      await wait(10)
    }
  }

  return { port, metricsPort: isApart ? portOf(watchers) : port, store: backend.database, stop }
}

async function openTraces(config: Config, report: Reporter): Promise<Traces | undefined> {
  if (config.otlpEndpoint === undefined) return undefined
  const { startTraces } = await import('./tracing/start.ts') // who wants no traces needs nothing of OpenTelemetry
  return startTraces(config.otlpEndpoint, config, report)
}

/** Whoever may connect can have their changes traced then, so it is for the operator to say. */
function goesOn({ traceClients, sampler }: Config): boolean {
  return traceClients && sampler.startsWith('parentbased')
}

/** Chance is cheaper by the page than by the word. */
function pooledRandom(): (bytes: number) => Uint8Array {
  let pool = new Uint8Array()
  return (bytes) => {
    if (pool.length < bytes) pool = randomBytes(4096)
    const taken = pool.slice(0, bytes)
    pool = pool.subarray(bytes)
    return taken
  }
}

/** Unlike HTTP's own `close` it leaves those alone who are about to ask again. Resolves once all have gone. */
function stopListening(server: Server): Promise<void> {
  return new Promise((resolve) => NetServer.prototype.close.call(server, () => resolve()))
}

function portOf(servers: readonly Server[]): number {
  const address = servers[0]?.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}
