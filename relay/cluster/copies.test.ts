import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { serialize } from 'node:v8'
import { expect, onTestFinished, test } from 'vitest'
import { newFolder } from '../fixtures.testing.ts'
import type { Report } from '../operators/report.ts'
import { databaseName, openDatabase } from '../store/database.ts'
import { Copies, type CopyRequest } from './copies.ts'
import { offersFrom } from './fetch-copy.ts'
import type { Kept } from './kept.ts'
import { startNats } from './nats.testing.ts'
import { joinRegion } from './region.ts'

const origin = 'east-1'

/** A store with one database, and how another one asks it. */
async function giving(note = async () => {}) {
  const nats = await startNats()
  onTestFinished(() => nats.stop())
  const [region, asking] = [await joinRegion(nats.url, 'east'), await joinRegion(nats.url, 'east')]
  onTestFinished(() => asking.leave())
  onTestFinished(() => region.leave())
  const folder = newFolder()
  openDatabase(folder, 'east', origin).close()
  const kept = { store: { origin }, folder, isWhole: true, follower: { upTo: 1, note } } as unknown as Kept
  const reports: Report[] = []
  const options = { shards: new Set([0]), diskReserve: 0 }
  const copies = new Copies(region, { all: [kept] }, options, (report) => reports.push(report))
  onTestFinished(() => copies.stop())
  await region.connection.flush()
  const [offer] = await offersFrom(asking.connection, ['east'])
  const ask = (request: CopyRequest) =>
    asking.connection.request(offer?.subject ?? '', serialize(request), { timeout: 10_000 })
  return { ask, folder, reports }
}

test('a store that can make no copy says so itself, once however often it is asked', async () => {
  const { ask, folder, reports } = await giving()
  rmSync(join(folder, databaseName))
  for (const copy of ['one', 'two']) expect((await ask({ type: 'make', origin, copy })).data).toHaveLength(0)
  expect(reports).toEqual([{ event: 'notGiven', reason: 'failed', error: expect.stringContaining('ENOENT') }])
})

test('a store whose copy another one gave up waiting for says so itself', async () => {
  const { ask, reports } = await giving(() => new Promise(() => {}))
  await ask({ type: 'make', origin, copy: 'one' })
  await ask({ type: 'drop', copy: 'one' })
  expect(reports).toEqual([
    { event: 'notGiven', reason: 'unfinished', error: 'Error: Whoever asked waited for it in vain' },
  ])
})

test('a store that has given its copy says nothing', async () => {
  const { ask, reports } = await giving()
  await ask({ type: 'make', origin, copy: 'one' })
  expect((await ask({ type: 'read', copy: 'one', offset: 0 })).data.length).toBeGreaterThan(4096)
  await ask({ type: 'drop', copy: 'one' })
  expect(reports).toEqual([])
})
