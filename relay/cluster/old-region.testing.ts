/** What tests of stores that lack something have: a region of its own for each, whose stream is older than what it keeps. */
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import Sqlite from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished } from 'vitest'
import { createSessionKeys, type SessionKeys } from '../../shared/keys.ts'
import { BareClient } from '../connections/bare-client.testing.ts'
import { newFolder } from '../fixtures.testing.ts'
import { databaseName, versions } from '../store/database.ts'
import { shardOf } from '../store/shard.ts'
import { someEnvelope, startRelay, type TestRelay, type TestRelayOptions } from '../testing.ts'
import { type CopyRequest, type Offer, offersSubject } from './copies.ts'
import { type NatsServer, startNats } from './nats.testing.ts'
import { joinRegion, type Region } from './region.ts'
import { originsHere, provideStream, regionOf, streamOf } from './streams.ts'

export const twoDays = 2 * 86_400_000

export let nats: NatsServer
let regions = 0
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

export let region: Region
let running: TestRelay[]
beforeEach(async () => {
  running = []
  const name = `old${++regions}`
  const any = await joinRegion(nats.url, `any${regions}`)
  await provideStream(any.manager, name, Date.now() - twoDays)
  await any.leave()
  region = await joinRegion(nats.url, name)
})
afterEach(async () => {
  await stopAll()
  await region.leave()
})

/** Of a stream that began so many milliseconds ago in a region that no other test knows. */
export function originElsewhere(name: string, age = twoDays): string {
  return `${name}${regions}-${(Date.now() - age).toString(36)}`
}

export async function started(options: TestRelayOptions): Promise<TestRelay> {
  const relay = await startRelay({ natsUrl: nats.url, region: region.name, dataDir: newFolder(), ...options })
  running.push(relay)
  return relay
}

export async function stop(relay: TestRelay): Promise<void> {
  running = running.filter((other) => other !== relay)
  await relay.stop()
}

export async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((relay) => relay.stop()))
}

export async function savedBy(relay: TestRelay, owner: SessionKeys): Promise<Uint8Array> {
  const alice = await BareClient.join(relay.url, owner)
  const envelope = someEnvelope()
  expect(await alice.save(envelope)).toMatchObject({ type: 'saved' })
  await alice.leave()
  return envelope
}

/** As after a day: what the stream had is gone. */
export async function ringMovesOn(): Promise<void> {
  await region.manager.streams.purge(await stream())
}

export async function lastSequence(): Promise<number> {
  return (await region.manager.streams.info(await stream())).state.last_seq
}

export async function stream(): Promise<string> {
  const origins = await originsHere(region.manager)
  return streamOf(origins.find((origin) => regionOf(origin) === region.name) ?? '')
}

/** NATS brings nobody what they say themselves. */
export async function another(): Promise<Region> {
  const other = await joinRegion(nats.url, region.name)
  onTestFinished(() => other.leave())
  return other
}

type Make = Extract<CopyRequest, { type: 'make' }>

/** As a store of all shards would, whose copies do not come, whatever it says of them. Told of each that is asked for. */
export function offerCopies(
  { connection, name }: Region,
  origins: ReadonlyMap<string, number>,
  asked: (request: Make) => unknown,
): void {
  const subject = `copies.${name}`
  const offer: Offer = { subject, region: name, schema: versions.length, shards: numbers(0, 64), origins }
  connection.subscribe(offersSubject, { callback: (_, message) => void message.respond(serialize(offer)) })
  connection.subscribe(subject, {
    callback: (_, message) => {
      const request: CopyRequest = deserialize(message.data)
      const made = request.type === 'make' ? asked(request) : undefined
      message.respond(made === undefined ? undefined : serialize(made))
    },
  })
}

export function numbers(from: number, to: number): ReadonlySet<number> {
  return new Set(Array.from({ length: to - from }, (_, at) => from + at))
}

export function ownerOf(shards: ReadonlySet<number>): SessionKeys {
  for (;;) {
    const owner = createSessionKeys()
    if (shards.has(shardOf(owner.session))) return owner
  }
}

export function appliedIn(folder: string): number {
  const database = new Sqlite(join(folder, databaseName), { readonly: true })
  try {
    return Number(database.prepare(`SELECT value FROM facts WHERE name = 'applied'`).pluck().get())
  } finally {
    database.close()
  }
}
