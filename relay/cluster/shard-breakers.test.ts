import { serialize } from 'node:v8'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import type { Report } from '../operators/report.ts'
import type { Lines } from './lines.ts'
import type { Region } from './region.ts'
import { RegionStore } from './region-store.ts'
import { ShardBreakers } from './shard-breakers.ts'

let reports: Report[]
let breakers: ShardBreakers
let asked: number
beforeEach(() => {
  vi.useFakeTimers()
  reports = []
  asked = 0
  breakers = new ShardBreakers((report) => reports.push(report))
})
afterEach(() => vi.useRealTimers())

test('stores of a shard that do not answer are left alone for a second, those of others are asked', async () => {
  for (let tries = 0; tries < 5; tries++) await expect(breakers.ask(7, silence)).rejects.toThrow()
  expect(asked).toBe(3)
  expect(breakers.silent).toBe(1)
  expect(await breakers.ask(8, answer)).toBe('answer')
  expect(reports).toEqual([{ event: 'storesSilent' }])
})

test('one that answers again is asked as before, and operators hear both once, however many shards it keeps', async () => {
  for (const shard of [1, 2, 3])
    for (let tries = 0; tries < 4; tries++) await expect(breakers.ask(shard, silence)).rejects.toThrow()
  vi.advanceTimersByTime(1_001)
  await expect(breakers.ask(1, silence)).rejects.toThrow()
  vi.advanceTimersByTime(1_001)
  for (const shard of [1, 2, 3]) expect(await breakers.ask(shard, answer)).toBe('answer')
  expect(breakers.silent).toBe(0)
  expect(reports).toEqual([{ event: 'storesSilent' }, { event: 'storesAnswer' }])
})

test('a relay does not take stores for silent because nobody asks about their shard any more', async () => {
  let isSilent = true
  const requestMany = async () => {
    if (isSilent) throw new Error('Nobody is there')
    return [{ data: serialize({ outcome: 'ready' }) }]
  }
  const region = { name: 'east', isConnected: true, connection: { requestMany } } as unknown as Region
  const store = new RegionStore(region, {} as Lines, (report) => reports.push(report))
  const sessions = Array.from({ length: 20 }, () => createSessionKeys().session)
  for (const session of sessions)
    for (let tries = 0; tries < 3; tries++) expect((await store.head(session)).outcome).toBe('refused')
  expect(store.silentShards).toBeGreaterThan(2)
  isSilent = false
  vi.advanceTimersByTime(1_001)
  expect(await store.check()).toEqual({ outcome: 'ready' })
  await vi.advanceTimersByTimeAsync(0)
  expect(store.silentShards).toBe(0)
  expect(reports).toEqual([{ event: 'storesSilent' }, { event: 'storesAnswer' }])
})

async function silence(): Promise<never> {
  asked++
  throw new Error('No answer in time')
}

async function answer(): Promise<string> {
  return 'answer'
}
