import { rmSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { equalBytes } from '../../shared/codec.ts'
import type { SessionId } from '../../shared/id.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { DirectStore } from '../store/direct-store.testing.ts'
import { checksumOf, markOf } from '../store/hash.ts'
import { shardCount, shardOf } from '../store/shard.ts'
import { type Appended, unreachable } from '../store/store.ts'
import type { Reached, StoreOptions } from '../store/store-protocol.ts'
import { emptyPage, someEnvelope, temporaryFolder } from '../testing.ts'
import { Follower } from './follower.ts'
import type { Kept } from './kept.ts'
import { Lines } from './lines.ts'
import { type NatsServer, startNats } from './nats.testing.ts'
import { type Answers, Questions } from './questions.ts'
import { joinRegion, type Region } from './region.ts'
import { RegionStore } from './region-store.ts'
import { encodeStatement } from './statement.ts'
import { logOf, originsHere, regionOf } from './streams.ts'

let nats: NatsServer
let regions = 0
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

let name: string
let relay: Region
beforeEach(async () => {
  name = `region${++regions}`
  relay = await joined()
})

const shards = new Set(Array.from({ length: shardCount }, (_, shard) => shard))

/** A store that reads its stream and, while it stands still, applies nothing of it. */
class SlowStore extends DirectStore {
  standsStill = false
  readonly lacked = new Set<number>()

  override async append(...entry: Parameters<DirectStore['append']>): Promise<Appended> {
    return this.standsStill ? unreachable : super.append(...entry)
  }

  override async since(...question: Parameters<DirectStore['since']>): ReturnType<DirectStore['since']> {
    return this.lacked.has(shardOf(question[0])) ? emptyPage : super.since(...question)
  }

  override async check(): ReturnType<DirectStore['check']> {
    return this.standsStill ? unreachable : super.check()
  }

  async applied(): Promise<Reached> {
    return { sequence: 0, said: undefined }
  }

  async noteApplied(): Promise<void> {}

  async forget(): Promise<void> {}
}

interface SlowKept extends Kept {
  readonly store: SlowStore
}

test('a store that is behind leaves a session to one that is not, and so nobody waits in vain', async () => {
  const behind = await started()
  await started()
  behind.standsStill = true
  const { session } = createSessionKeys()
  const envelope = await said(session)
  const stores = new RegionStore(relay, new Lines(relay))
  for (let times = 0; times < 8; times++) {
    const asked = performance.now()
    const [read, head] = await Promise.all([stores.since(session, new Map(), 0), stores.head(session)])
    expect(envelopesIn(read)).toEqual([envelope])
    expect(head).toMatchObject({ outcome: 'heads' })
    expect(performance.now() - asked).toBeLessThan(3_000)
  }
}, 30_000)

test('a store that lacks the end of a lost stream leaves its sessions to one that has it, and answers when there is none', async () => {
  const { session } = createSessionKeys()
  const envelope = await said(session)
  const stores = new RegionStore(relay, new Lines(relay))
  const lacking = await started()
  lacking.lacked.add(shardOf(session))
  expect(envelopesIn(await stores.since(session, new Map(), 0))).toEqual([])
  await started()
  for (let times = 0; times < 12; times++)
    expect(envelopesIn(await stores.since(session, new Map(), 0))).toEqual([envelope])
}, 30_000)

test('alone it answers for the sessions it has, and for the others as soon as it has caught up', async () => {
  const alone = await started()
  const [known, waiting] = [createSessionKeys().session, createSessionKeys().session]
  await said(known)
  const stores = new RegionStore(relay, new Lines(relay))
  expect(await stores.head(known)).toMatchObject({ outcome: 'heads' })
  alone.standsStill = true
  const envelope = await said(waiting)
  expect(await stores.since(known, new Map(), 0)).toMatchObject({ outcome: 'pages' })
  const reading = stores.since(waiting, new Map(), 0)
  setTimeout(() => {
    alone.standsStill = false
  }, 1_000)
  expect(envelopesIn(await reading)).toEqual([envelope])
}, 30_000)

test('a session with a large snapshot in each of several logs is read, though no message takes all of them', async () => {
  const regions = [name, `${name}far`, `${name}further`]
  const { session } = createSessionKeys()
  const stores = new RegionStore(relay, new Lines(relay))
  const kept = regions.map((region) => opened({ region, origin: `${region}-0` }))
  await answering(kept)
  const snapshots = await Promise.all(kept.map(({ store }) => largest(store, session)))
  const read = await stores.since(session, new Map(), 0)
  if (read.outcome !== 'pages') throw new Error(read.outcome)
  const found = [...read.of.values()].map(({ snapshot }) => snapshot?.envelope)
  expect(found.every((envelope, at) => equalBytes(envelope ?? empty, snapshots[at] ?? empty))).toBe(true)
  expect(found).toHaveLength(3)
}, 30_000)

test('a session is as full as its own region’s stream says, whatever older logs of the region have', async () => {
  const { session } = createSessionKeys()
  const overQuota = { replaces: undefined }
  const [current, lost, single] = [`${name}-1`, `${name}-0`, `${name}.abc`].map((origin) =>
    opened({ region: name, origin }),
  ) as [SlowKept, SlowKept, SlowKept]
  current.follower = { applied: async () => 0, stop: async () => {} } as unknown as Follower
  const head = await current.store.head(session)
  current.store.head = async () => ({ ...head, overQuota }) as typeof head
  await answering([current, lost, single])
  expect(await new RegionStore(relay, new Lines(relay)).head(session)).toMatchObject({ overQuota })
})

const empty = new Uint8Array()

/** Gives its only snapshot, of the most bytes that one may have. */
async function largest(store: SlowStore, session: SessionId): Promise<Uint8Array> {
  const [entry, envelope] = [someEnvelope(), someEnvelope(1 << 20)]
  const checksum = checksumOf(entry)
  await store.append(session, { sequence: 1, previous: 0, checksum, kind: 0, envelope: entry })
  const covers = new Map([[store.origin, { sequence: 1, mark: markOf(checksum) }]])
  expect(await store.putSnapshot(session, { covers, replaces: undefined, envelope })).toEqual({
    outcome: 'kept',
  })
  return envelope
}

function envelopesIn(answer: Answers['since']): Uint8Array[] {
  if (answer.outcome !== 'pages') throw new Error(answer.outcome)
  return [...answer.of.values()].flatMap(({ entries }) =>
    entries.map(({ envelope }) => Uint8Array.from(envelope)),
  )
}

/** A store of its own, which answers. */
async function started(): Promise<SlowStore> {
  const region = await joined()
  const origin = (await originsHere(region.manager)).find((origin) => regionOf(origin) === name)
  const kept = opened({ region: name, origin })
  kept.follower = await Follower.start(region, kept.store, shards)
  await answering([kept], region)
  return kept.store
}

function opened({ region, origin }: Pick<StoreOptions, 'region' | 'origin'>): SlowKept {
  const folder = temporaryFolder()
  const store = new SlowStore({
    dataDir: folder,
    region,
    origin,
    sessionMaxBytes: 1 << 24,
    sessionIdleDays: 90,
  })
  return {
    store,
    folder,
    isWhole: true,
    follower: undefined,
    lacked: store.lacked,
    isGivenUp: false,
    gapTries: 0,
  }
}

/** From here on it says what these have. */
async function answering(all: readonly SlowKept[], told?: Region): Promise<void> {
  const region = told ?? (await joined())
  const questions = new Questions(region, { all }, shards)
  await region.connection.flush()
  onTestFinished(async () => {
    await questions.stop()
    for (const { store, follower, folder } of all) {
      await follower?.stop()
      await store.close()
      rmSync(folder, { recursive: true })
    }
  })
}

async function joined(): Promise<Region> {
  const region = await joinRegion(nats.url, name)
  onTestFinished(() => region.leave())
  return region
}

async function said(session: SessionId): Promise<Uint8Array> {
  const envelope = someEnvelope()
  const message = { type: 'append', ref: 0, envelope } as const
  await relay.stream.publish(logOf(name, session), encodeStatement({ author: 1, message }))
  return envelope
}
