import {
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  type StreamInfo,
} from '@nats-io/jetstream'
import type { SessionId } from '../../shared/id.ts'
import { shardOf } from '../store/shard.ts'
import type { Region } from './region.ts'

/**
 * Every region has one stream, a ring of what was said last, from which stores read and whose growth every relay hears. Its name
 * is `log-<region>-<when it began>`, and what follows `log-` names its sequences in cursors: a stream that was lost and made anew has
 * another. The others' streams are mirrored under their own names, with their own sequences.
 */
const ringBytes = 1 << 28
const day = 86_400_000_000_000 // NATS counts nanoseconds
const overlaps = 10_065
const noMessage = 10_037
const noStream = 10_059

export function originOf(stream: string): string {
  return stream.slice('log-'.length)
}

export function streamOf(origin: string): string {
  return `log-${origin}`
}

/** Of a single relay, too: its origin is `<region>.<random>`, and names of regions have hyphens but no dots. */
export function regionOf(origin: string): string {
  return origin.slice(0, isOfSingleRelay(origin) ? origin.indexOf('.') : origin.lastIndexOf('-'))
}

/** Kept before it was a region's. */
function isOfSingleRelay(origin: string): boolean {
  return origin.includes('.')
}

export function logOf(region: string, session: SessionId): string {
  return `log.${region}.${shardOf(session)}.${session}`
}

/** Makes the region's stream, unless there is one. */
export async function provideStream(
  manager: JetStreamManager,
  region: string,
  began = Date.now(),
): Promise<void> {
  if ((await streamsOf(manager, region)).length > 0) return
  try {
    await manager.streams.add({
      name: streamOf(`${region}-${began.toString(36)}`),
      subjects: [`log.${region}.*.*`],
      max_bytes: ringBytes,
      max_age: day,
      // Every wildcard has to be used, so the shard comes along.
      republish: { src: `log.${region}.*.*`, dest: 'room.{{wildcard(2)}}.log.{{wildcard(1)}}' },
    })
  } catch (error) {
    const wasQuicker = error instanceof JetStreamApiError && error.code === overlaps
    if (!wasQuicker) throw error // somebody else made it
  }
}

/**
 * Mirrors another region's stream, as soon as that region can be reached. It goes on by itself after every cut. Gives the origins of
 * mirrors here that bring nothing more, because that region has lost their stream and begun another one.
 */
export async function provideMirror(region: Region, other: string): Promise<readonly string[]> {
  const there = await streamsOf(await managerOf(region, other), other)
  const here = await originsHere(region.manager)
  for (const name of there) {
    if (here.includes(originOf(name))) continue
    await region.manager.streams.add({
      name,
      mirror: { name, domain: other },
      max_bytes: ringBytes,
      max_age: day,
    })
  }
  if (there.length === 0) return []
  return here.filter((origin) => regionOf(origin) === other && !there.includes(streamOf(origin)))
}

/** Origins whose streams this region's NATS has, mirrors too. */
export async function originsHere(manager: JetStreamManager): Promise<string[]> {
  return (await namesIn(manager)).filter((name) => name.startsWith('log-')).map(originOf)
}

/** How many messages each mirror here lacks of its stream, as far as its NATS knows. */
export async function mirrorLags(manager: JetStreamManager): Promise<ReadonlyMap<string, number>> {
  const lags = new Map<string, number>()
  for await (const { config, mirror } of manager.streams.list())
    if (mirror && config.name.startsWith('log-')) lags.set(originOf(config.name), mirror.lag)
  return lags
}

/** What a stream still has. */
export interface Ring {
  /** The sequence of the first message in it, 0 when there never was one. */
  readonly first: number
  /** Everything that was ever said, except what was removed with a session its owner deleted. */
  readonly isWhole: boolean
}

/** Undefined when the stream is gone. Rejects when NATS does not say. */
export async function ringOf(region: Region, origin: string): Promise<Ring | undefined> {
  if (isOfSingleRelay(origin)) return undefined // it never had one
  const stream = await infoOf(region.manager, origin)
  if (!stream) return undefined
  const { first_seq: first } = stream.state
  const isWhole = stream.config.mirror
    ? first === 1 || (await mirrorsAll(region, origin, first))
    : hasAll(origin, stream)
  return { first, isWhole }
}

/**
 * Of a region's own stream: nothing but what was deleted has gone from one that is young and far from full. Whoever runs it may have
 * given it less than it began with. A clock may be wrong, here, where the stream was named or at NATS, so it is as old as any two of them say: one that
 * is taken for older than it is costs a look at other stores, and the other way round older sessions would be taken for empty.
 */
function hasAll(origin: string, { config, created, state }: StreamInfo): boolean {
  const named = Number.parseInt(origin.slice(origin.lastIndexOf('-') + 1), 36)
  const began = Math.min(named, Date.parse(created))
  const now = Math.max(Date.now(), Date.parse(state.last_ts))
  const [age, bytes] = [leastOf(config.max_age, day), leastOf(config.max_bytes, ringBytes)]
  const isYoung = now - began < age / 1_000_000
  const hasRoom = state.bytes < bytes / 2 && state.messages < leastOf(config.max_msgs) / 2
  return state.first_seq <= 1 || (isYoung && hasRoom)
}

/** Of two limits; NATS takes 0 and less for none. */
function leastOf(limit: number, other = Number.POSITIVE_INFINITY): number {
  return limit > 0 ? Math.min(limit, other) : other
}

/** What a stream has of all that was said in it: everything in between, except what was removed with a session its owner deleted. */
export interface Extent {
  readonly from: number
  readonly upTo: number
}

/** Undefined when the stream is gone. Rejects when NATS does not say. */
export async function extentOf(manager: JetStreamManager, origin: string): Promise<Extent | undefined> {
  const stream = await infoOf(manager, origin)
  return stream && { from: hasAll(origin, stream) ? 0 : stream.state.first_seq, upTo: stream.state.last_seq }
}

/** Rejects when the region of the origin cannot be reached. */
export async function extentAtHome(region: Region, origin: string): Promise<Extent | undefined> {
  return extentOf(await managerOf(region, regionOf(origin)), origin)
}

/** What a mirror holds says nothing of what its stream had before. That one says it; false while its region cannot be reached. */
async function mirrorsAll(region: Region, origin: string, first: number): Promise<boolean> {
  try {
    const stream = await infoOf(await managerOf(region, regionOf(origin)), origin)
    return stream !== undefined && first <= stream.state.first_seq && hasAll(origin, stream)
  } catch {
    return false
  }
}

function managerOf({ connection }: Region, other: string): Promise<JetStreamManager> {
  return jetstreamManager(connection, { domain: other, checkAPI: false, timeout: 2_000 })
}

async function infoOf(manager: JetStreamManager, origin: string): Promise<StreamInfo | undefined> {
  return await manager.streams.info(streamOf(origin)).catch((error: unknown) => {
    if (isStreamGone(error)) return undefined
    throw error
  })
}

/** Whether that is why NATS refused something. */
export function isStreamGone(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === noStream
}

/** The last sequence given in a stream, whether or not that message is still there. Rejects when NATS does not say. */
export async function lastGiven(manager: JetStreamManager, origin: string): Promise<number> {
  return (await manager.streams.info(streamOf(origin))).state.last_seq
}

/** How many messages of a stream come after a sequence, at most. Rejects when NATS does not say. */
export async function countAfter(
  manager: JetStreamManager,
  origin: string,
  sequence: number,
): Promise<number> {
  // What has gone from it nobody can read any more.
  const { messages, last_seq: last } = (await manager.streams.info(streamOf(origin))).state
  return Math.min(messages, Math.max(0, last - sequence))
}

/** When a message was said, in milliseconds; undefined when it is there no more. Rejects when NATS does not say. */
export async function saidAt(
  manager: JetStreamManager,
  origin: string,
  sequence: number,
): Promise<number | undefined> {
  return (await manager.streams.getMessage(streamOf(origin), { seq: sequence }))?.time.getTime()
}

/** The sequence of the last message about a session, 0 without one; undefined when NATS does not say. */
export async function lastOf(
  manager: JetStreamManager,
  origin: string,
  session: SessionId,
): Promise<number | undefined> {
  try {
    const last = await manager.streams.getMessage(streamOf(origin), {
      last_by_subj: logOf(regionOf(origin), session),
    })
    return last?.seq ?? 0
  } catch (error) {
    return error instanceof JetStreamApiError && error.code === noMessage ? 0 : undefined
  }
}

async function streamsOf(manager: JetStreamManager, region: string): Promise<string[]> {
  return (await namesIn(manager, `log.${region}.>`)).filter((name) => regionOf(originOf(name)) === region)
}

async function namesIn(manager: JetStreamManager, subject = ''): Promise<string[]> {
  const names: string[] = []
  for await (const name of manager.streams.names(subject)) names.push(name)
  return names
}
