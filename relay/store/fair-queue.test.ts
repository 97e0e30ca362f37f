import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { SessionId } from '../../shared/id.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { newFolder } from '../fixtures.testing.ts'
import { someDeposit, someEnvelope, temporaryFolder } from '../testing.ts'
import { atOnce, FairQueue, mostAtOnce, mostWaiting } from './fair-queue.ts'
import { checksumOf } from './hash.ts'
import { openSqliteStore, type SqliteStore } from './sqlite-store.ts'
import { entryKinds } from './store.ts'

test('everybody gets a portion of what they asked for, in the order they asked', () => {
  const queue = new FairQueue<string>()
  for (let at = 0; at < 20; at++) queue.push('alice', `alice ${at}`)
  queue.push('bob', 'bob 0')
  expect(queue.length).toBe(21)
  const first = queue.take()
  expect(first).toEqual([...Array.from({ length: atOnce }, (_, at) => `alice ${at}`), 'bob 0'])
  expect(queue.take()[0]).toBe(`alice ${atOnce}`)
  expect(queue.takeAll()).toEqual(['alice 16', 'alice 17', 'alice 18', 'alice 19'])
  expect(queue.length).toBe(0)
})

test('of very many sessions some have to wait, and then come before those that got something', () => {
  const queue = new FairQueue<string>()
  const greedy = Array.from({ length: 20 }, (_, at) => `greedy ${at}`)
  for (const session of greedy) for (let at = 0; at < 20; at++) queue.push(session, session)
  queue.push('bob', 'bob')
  const portions = [queue.take(), queue.take(), queue.take()]
  expect(portions.map(({ length }) => length)).toEqual([mostAtOnce, mostAtOnce, mostAtOnce + 1])
  expect(portions[2]?.slice(0, 4 * atOnce + 1)).toEqual([
    ...greedy.slice(16).flatMap((session) => Array.from({ length: atOnce }, () => session)),
    'bob',
  ])
  expect(queue.takeAll()).toHaveLength(400 - 3 * mostAtOnce)
})

test('who asks for more than ever is answered is refused, and nobody else', () => {
  const queue = new FairQueue<number>()
  for (let at = 0; at < mostWaiting; at++) expect(queue.push('alice', at)).toBe(true)
  expect(queue.push('alice', mostWaiting)).toBe(false)
  expect(queue.push('bob', 0)).toBe(true)
  expect(queue.length).toBe(mostWaiting + 1)
})

test('a session whose changes wait for a slow disk in megabytes is refused more of them, and others are not', async () => {
  const store = await open()
  const [flooding, other] = [createSessionKeys().session, createSessionKeys().session]
  const append = (session: SessionId, sequence: number, length: number) => {
    const envelope = someEnvelope(length)
    const kind = entryKinds.change
    return store.append(session, {
      sequence,
      previous: sequence - 1,
      checksum: checksumOf(envelope),
      kind,
      envelope,
    })
  }
  // All in one turn of the event loop: the disk has not answered anything.
  const flood = Array.from({ length: 100 }, (_, at) => append(flooding, at + 1, 65_000))
  const answer = append(other, 1, 65_000)
  expect((await answer).outcome).toBe('saved')
  const outcomes = (await Promise.all(flood)).map(({ outcome }) => outcome)
  expect(outcomes.filter((outcome) => outcome === 'refused').length).toBeGreaterThan(30)
  expect(outcomes.slice(0, 60)).toEqual(Array.from({ length: 60 }, () => 'saved'))
  await store.close()
})

test('whoever asks a store once waits for two portions at most of a session that asks hundreds of times', async () => {
  const options = {
    dataDir: temporaryFolder(),
    region: 'local',
    sessionMaxBytes: 1 << 24,
    sessionIdleDays: 90,
  }
  const store = await openSqliteStore(options, () => {})
  const [flooding, other] = [createSessionKeys().session, createSessionKeys().session]
  let answered = 0
  const flood = Array.from({ length: 900 }, async (_, at) => {
    expect(await store.deposit(flooding, someDeposit(at % 200))).toEqual({ outcome: 'deposited' })
    answered++
  })
  expect(await store.deposit(other, someDeposit())).toEqual({ outcome: 'deposited' })
  expect(answered).toBeLessThanOrEqual(2 * atOnce)
  const read = store.since(other, new Map(), 0)
  expect((await read).outcome).toBe('page')
  expect(answered).toBeLessThanOrEqual(4 * atOnce)
  await store.close()
  await Promise.all(flood)
  expect(answered).toBe(900)
})

test('a change waits for two portions at most of what a crowd asks for', async () => {
  const store = await open()
  let answered = 0
  const crowd = Array.from({ length: 10 * mostAtOnce }, async () => {
    await store.deposit(createSessionKeys().session, someDeposit())
    answered++
  })
  await nextTurn() // the first portion is on its way
  const envelope = someEnvelope()
  const entry = {
    sequence: 1,
    previous: 0,
    checksum: checksumOf(envelope),
    kind: entryKinds.change,
    envelope,
  }
  expect((await store.append(createSessionKeys().session, entry)).outcome).toBe('saved')
  expect(answered).toBeLessThanOrEqual(2 * mostAtOnce)
  await Promise.all(crowd)
  await store.close()
})

async function open(): Promise<SqliteStore> {
  const dataDir = newFolder()
  return openSqliteStore(
    { dataDir, region: 'local', sessionMaxBytes: 1 << 24, sessionIdleDays: 90 },
    () => {},
  )
}
