import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import { BareClient } from '../connections/bare-client.testing.ts'
import { newFolder } from '../fixtures.testing.ts'
import { Meters } from '../operators/meters.ts'
import type { Report } from '../operators/report.ts'
import { readConfig } from '../settings/config.ts'
import { databaseName } from '../store/database.ts'
import type { SqliteStore } from '../store/sqlite-store.ts'
import { someEnvelope } from '../testing.ts'
import { Copies } from './copies.ts'
import type { Kept } from './kept.ts'
import {
  another,
  appliedIn,
  lastSequence,
  numbers,
  offerCopies,
  region,
  ringMovesOn,
  savedBy,
  started,
  stop,
  stream,
} from './old-region.testing.ts'
import { Origins } from './origins.ts'
import { encodeStatement } from './statement.ts'
import { logOf, originOf } from './streams.ts'

const sessions = 8

test('a store that was off for longer than the stream lasts begins all the same, and says that it missed something', async () => {
  const relay = await started({ role: 'relay' })
  const dataDir = newFolder()
  const store = await started({ role: 'store', dataDir })
  const owner = createSessionKeys()
  const old = await savedBy(relay, owner)
  const alice = await BareClient.join(relay.url, owner)
  await stop(store)
  alice.append(someEnvelope())
  await expect.poll(() => lastSequence(), { timeout: 10_000 }).toBeGreaterThan(1)
  await ringMovesOn()
  const again = await started({ role: 'store', dataDir })
  const incomplete = { event: 'incomplete', region: region.name }
  await expect.poll(() => again.reports, { timeout: 30_000 }).toContainEqual(incomplete)
  expect((await BareClient.join(relay.url, owner)).envelopes()).toContainEqual(old)
}, 60_000)

test('a store that was off for longer than the stream lasts has the rest from one that starts a moment later', async () => {
  const [dataDir, otherDir] = [newFolder(), newFolder()]
  const relay = await started({ role: 'relay' })
  const behind = await started({ role: 'store', dataDir })
  const store = await started({ role: 'store', dataDir: otherDir })
  const owner = createSessionKeys()
  const sent = [await savedBy(relay, owner)]
  await stop(behind)
  sent.push(await savedBy(relay, owner))
  await stop(store)
  await ringMovesOn()
  const again = await started({ role: 'store', dataDir })
  const other = await started({ role: 'store', dataDir: otherDir })
  const copied = { event: 'copied', region: region.name }
  await expect.poll(() => again.reports, { timeout: 30_000 }).toContainEqual(copied)
  await stop(other)
  expect((await BareClient.join(relay.url, owner)).envelopes()).toEqual(sent)
  expect(again.reports).not.toContainEqual({ event: 'incomplete', region: region.name })
  sent.push(await savedBy(relay, owner))
  expect((await BareClient.join(relay.url, owner)).envelopes()).toEqual(sent)
}, 60_000)

test('what the stream lost while a store stood still it takes from one that had read it, while it serves', async () => {
  const store = await started({ role: 'store' })
  const behind = await standingStill()
  await expect
    .poll(() => appliedIn(join(store.dataDir, behind.origin)), { timeout: 20_000 })
    .toBe(behind.last)
  await ringMovesOn()
  await expect.poll(() => behind.kept().lacked.size, { timeout: 20_000 }).toBe(64)
  await behind.goOn()
  const copied = { event: 'copied', region: region.name }
  await expect.poll(() => behind.reports, { timeout: 30_000 }).toContainEqual(copied)
  const upTo = await behind.say()
  await expect.poll(() => behind.kept().follower?.upTo).toBe(upTo)
  expect(behind.kept().lacked.size).toBe(0)
  expect(sequencesIn(behind.kept().folder)).toEqual(Array.from({ length: upTo }, (_, at) => at + 1))
}, 60_000)

test('what the stream lost while its only store stood still is given up, and that is said', async () => {
  const behind = await standingStill()
  await ringMovesOn()
  const upTo = await behind.goOn()
  const incomplete = { event: 'incomplete', region: region.name }
  await expect.poll(() => behind.reports, { timeout: 30_000 }).toContainEqual(incomplete)
  await expect.poll(() => behind.kept().follower?.upTo).toBe(upTo)
  expect(behind.reports.filter(({ event }) => event === 'incomplete')).toHaveLength(1)
  const sequences = sequencesIn(behind.kept().folder)
  expect(sequences.slice(-sessions)).toEqual(
    Array.from({ length: sessions }, (_, at) => behind.last + 1 + at),
  )
  expect(sequences).not.toContain(behind.last)
}, 60_000)

test('of what the stream lost a store takes at last what one has that did not read all of it either', async () => {
  const store = await started({ role: 'store' })
  const behind = await standingStill()
  const folder = join(store.dataDir, behind.origin)
  await expect.poll(() => appliedIn(folder), { timeout: 20_000 }).toBe(behind.last)
  await stop(store)
  const lost = await behind.say()
  await ringMovesOn()
  const follower = { upTo: behind.last, note: async () => {} }
  const kept = { store: { origin: behind.origin }, folder, isWhole: true, follower } as unknown as Kept
  const copies = new Copies(await another(), { all: [kept] }, { shards: numbers(0, 64) })
  onTestFinished(() => copies.stop())
  const upTo = await behind.goOn()
  const incomplete = { event: 'incomplete', region: region.name }
  await expect.poll(() => behind.reports, { timeout: 40_000 }).toContainEqual(incomplete)
  await expect.poll(() => behind.kept().follower?.upTo).toBe(upTo)
  expect(sequencesIn(behind.kept().folder)).toEqual([
    ...numbers(1, behind.last + 1),
    ...numbers(lost + 1, upTo + 1),
  ])
}, 60_000)

test('what the stream lost is not given up while only the disk has no room for it', async () => {
  const behind = await standingStill()
  await ringMovesOn()
  let asked = 0
  offerCopies(await another(), new Map([[behind.origin, 1e9]]), () => {
    asked++
    return { bytes: 1e15, sha256: '' }
  })
  await behind.goOn()
  const failed = { event: 'failed', error: expect.stringContaining('no room for a copy') }
  await expect.poll(() => behind.reports, { timeout: 20_000 }).toContainEqual(failed)
  await expect.poll(() => behind.kept().lacked.size, { timeout: 20_000 }).toBe(64)
  expect(behind.kept().gapTries).toBe(0)
  expect(asked).toBe(1)
}, 60_000)

test('a store that stood still reads on, though its stream loses something whenever something is said', async () => {
  const behind = await standingStill()
  await region.manager.streams.update(await stream(), { max_msgs: 8 * sessions })
  const upTo = await behind.goOn()
  await expect
    .poll(
      async () => {
        await behind.say()
        return behind.kept().follower?.upTo
      },
      { timeout: 40_000, interval: 200 },
    )
    .toBeGreaterThan(upTo)
  const last = await lastSequence()
  await expect.poll(() => behind.kept().follower?.upTo, { timeout: 10_000 }).toBe(last)
  expect(behind.reports.filter(({ event }) => event === 'incomplete')).toHaveLength(1)
}, 60_000)

test('what the stream lost while a store stood still it takes from one that is away just when it looks, too', async () => {
  const dataDir = newFolder()
  const store = await started({ role: 'store', dataDir })
  const behind = await standingStill()
  await expect.poll(() => appliedIn(join(dataDir, behind.origin)), { timeout: 20_000 }).toBe(behind.last)
  await stop(store)
  await ringMovesOn()
  await behind.goOn()
  await expect.poll(() => behind.kept().gapTries, { timeout: 30_000 }).toBe(1)
  await started({ role: 'store', dataDir })
  await expect.poll(() => sequencesIn(behind.kept().folder), { timeout: 30_000 }).toContain(behind.last)
}, 60_000)

test('what a deletion took out of the stream is not missed, though NATS could not say at once that nothing else is gone', async () => {
  const [session, deleted] = [createSessionKeys().session, createSessionKeys().session]
  const message = { type: 'append', ref: 0, envelope: someEnvelope() } as const
  for (const each of [session, deleted, session])
    await region.stream.publish(logOf(region.name, each), encodeStatement({ author: 1, message }))
  await region.manager.streams.purge(await stream(), { filter: logOf(region.name, deleted) })
  const reports: Report[] = []
  const config = { ...readConfig({}), region: region.name, dataDir: newFolder() }
  const { streams } = region.manager
  const info = streams.info.bind(streams)
  const asked = vi.spyOn(streams, 'info').mockImplementationOnce(info).mockRejectedValue(new Error('away'))
  const origins = await Origins.open(region, config, (report) => reports.push(report), new Meters(), 0)
  onTestFinished(() => origins.close())
  const [{ follower } = {}] = [...origins.all]
  await expect.poll(() => follower?.gapEnd).toBe(3)
  asked.mockRestore()
  await expect.poll(() => [...origins.all][0]?.follower?.upTo, { timeout: 20_000 }).toBe(3)
  expect(reports).toEqual([])
}, 60_000)

test('how far a store has read stands in its database soon after, though nothing else is said', async () => {
  const dataDir = newFolder()
  const relay = await started({ role: 'both', dataDir })
  const alice = await BareClient.join(relay.url, createSessionKeys())
  for (let said = 0; said < 3; said++) await alice.save(someEnvelope())
  const last = await lastSequence()
  const [origin = ''] = [...readdirSync(dataDir)]
  await expect.poll(() => appliedIn(join(dataDir, origin)), { timeout: 10_000 }).toBe(last)
})

/** A store with a full disk, and more in its stream than it lets wait. */
async function standingStill() {
  const config = { ...readConfig({}), region: region.name, dataDir: newFolder(), beginEmpty: true }
  const reports: Report[] = []
  const origins = await Origins.open(region, config, (report) => reports.push(report), new Meters(), 0)
  onTestFinished(() => origins.close())
  const origin = originOf(await stream())
  const kept = () => origins.of(origin) as Kept
  const store = kept().store as SqliteStore
  await store.limit(1)
  const owners = Array.from({ length: sessions }, () => createSessionKeys())
  const say = async () => {
    for (const { session } of owners) {
      const message = { type: 'append', ref: 0, envelope: someEnvelope(65_000) } as const
      await region.stream.publish(logOf(region.name, session), encodeStatement({ author: 1, message }))
    }
    return lastSequence()
  }
  for (let times = 0; times < 80; times++) await say()
  const last = await lastSequence()
  const goOn = async () => {
    await store.limit(undefined)
    return say()
  }
  return { origin, last, reports, kept, say, goOn }
}

function sequencesIn(folder: string): unknown[] {
  const database = new Sqlite(join(folder, databaseName), { readonly: true })
  try {
    return database.prepare('SELECT sequence FROM entries ORDER BY sequence').pluck().all()
  } finally {
    database.close()
  }
}
