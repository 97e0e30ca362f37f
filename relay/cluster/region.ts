import { type JetStreamClient, type JetStreamManager, jetstream } from '@nats-io/jetstream'
import { connect, errors, type NatsConnection } from '@nats-io/transport-node'
import type { Traces } from '../operators/traces.ts'
import { SetupError } from '../settings/setup-error.ts'
import { addressWords, loginTo } from './addresses.ts'
import { provideStream } from './streams.ts'

/** The bytes of a message at most: a frame and what NATS puts around it. */
export const payload = 2_000_000
/** Where NATS runs as several servers, another one is tried after that. */
const dialMs = 5_000

/** NATS as one region's relays and stores use it. */
export interface Region {
  readonly name: string
  readonly connection: NatsConnection
  /** False from when the line to NATS broke until there is one again: whoever asks now would wait for a time-out. */
  readonly isConnected: boolean
  readonly stream: JetStreamClient
  readonly manager: JetStreamManager
  /** What follows changes from process to process, if somebody wants that. */
  readonly traces: Traces | undefined
  leave(): Promise<void>
}

/** Connects to NATS and sees to the region's stream. Rejects with a `SetupError` that says what is wrong. */
export async function joinRegion(servers: string, name: string, traces?: Traces): Promise<Region> {
  const connection = await connect({
    ...loginTo(servers),
    name: `facedown ${name}`,
    noEcho: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    // Refused twice, the client would end the line for good, and this process would run on without one.
    ignoreAuthErrorAbort: true,
    timeout: dialMs,
    pingInterval: 5_000,
    maxPingOut: 2,
  }).catch((error: unknown) => {
    throw noAnswer(servers, error)
  })
  try {
    if ((connection.info?.max_payload ?? 0) < payload) {
      throw new SetupError(
        `NATS at ${addressWords(servers)} takes too small messages. Set max_payload to at least 2MB`,
      )
    }
    const stream = jetstream(connection)
    const manager = await managerOf(stream, servers)
    await provideStream(manager, name)
    const line = watch(connection)
    return {
      name,
      connection,
      get isConnected() {
        return line.isUp
      },
      stream,
      manager,
      traces,
      leave: () => leave(connection),
    }
  } catch (error) {
    await connection.close()
    throw error instanceof errors.TimeoutError ? noAnswer(servers, error) : error
  }
}

function noAnswer(servers: string, error: unknown): SetupError {
  return new SetupError(`NATS does not answer at NATS_URL ${addressWords(servers)} (${wordsOf(error)})`)
}

async function managerOf(stream: JetStreamClient, servers: string): Promise<JetStreamManager> {
  return await stream.jetstreamManager().catch((error: unknown) => {
    if (error instanceof errors.TimeoutError) throw error
    throw new SetupError(
      `NATS at ${addressWords(servers)} has no JetStream for this relay (${wordsOf(error)}). Start it with JetStream switched on`,
    )
  })
}

function watch(connection: NatsConnection): { readonly isUp: boolean } {
  const line = { isUp: true }
  const follow = async () => {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') line.isUp = false
      if (type === 'reconnect') line.isUp = true
    }
  }
  void follow()
  return line
}

async function leave(connection: NatsConnection): Promise<void> {
  await connection.drain().catch(() => {}) // it may be gone already
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
