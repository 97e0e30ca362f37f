import { type JetStreamClient, jetstream, type StreamInfo } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { idBytes, type SessionId } from '../../shared/id.ts'
import { SetupError } from '../setup-error.ts'

/** Shards of all sessions. The number is part of every subject, so it never changes. */
export const shards = 64
const ringBytes = 1 << 28
const day = 86_400_000_000_000 // NATS counts nanoseconds

/** NATS as one region's relays and stores use it. */
export interface Region {
  readonly name: string
  /** Names the stream's sequences in cursors. A stream that was lost and made anew has another. */
  readonly origin: string
  readonly connection: NatsConnection
  readonly stream: JetStreamClient
  leave(): Promise<void>
}

/** Connects to NATS and sees to the region's stream. Rejects with a `SetupError` that says what is wrong. */
export async function joinRegion(servers: string, name: string): Promise<Region> {
  const connection = await connect({
    servers: servers.split(','),
    name: `facedown ${name}`,
    noEcho: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    pingInterval: 5_000,
    maxPingOut: 2,
  }).catch((error: unknown) => {
    throw new SetupError(`NATS does not answer at NATS_URL ${servers} (${wordsOf(error)})`)
  })
  const stream = jetstream(connection)
  const { created } = await provideStream(stream, name).catch(async (error: unknown) => {
    await connection.close()
    throw new SetupError(
      `NATS at ${servers} has no JetStream for this relay (${wordsOf(error)}). Start it with JetStream switched on and max_payload of at least 2MB`,
    )
  })
  if ((connection.info?.max_payload ?? 0) < 2_000_000) {
    await connection.close()
    throw new SetupError(`NATS at ${servers} takes too small messages. Set max_payload to at least 2MB`)
  }
  return {
    name,
    origin: `${name}.${Date.parse(created).toString(36)}`,
    connection,
    stream,
    leave: () => connection.drain().catch(() => {}), // it may be gone already
  }
}

/** One for the whole region: a ring of what was said last, from which stores read and which relays hear as it grows. */
async function provideStream(stream: JetStreamClient, region: string): Promise<StreamInfo> {
  const { streams } = await stream.jetstreamManager()
  return streams.add({
    name: streamOf(region),
    subjects: [`log.${region}.*.*`],
    max_bytes: ringBytes,
    max_age: day,
    // Every wildcard has to be used, so the shard comes along.
    republish: { src: `log.${region}.*.*`, dest: 'room.{{wildcard(2)}}.log.{{wildcard(1)}}' },
  })
}

export function streamOf(region: string): string {
  return `log-${region}`
}

export function shardOf(session: SessionId): number {
  return (idBytes(session)[0] ?? 0) % shards
}

export function logOf(region: string, session: SessionId): string {
  return `log.${region}.${shardOf(session)}.${session}`
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
