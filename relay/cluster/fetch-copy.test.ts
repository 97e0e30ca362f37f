import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { expect, onTestFinished, test } from 'vitest'
import { newFolder } from '../fixtures.testing.ts'
import { versions } from '../store/database.ts'
import { DiskReserve } from '../store/disk-reserve.ts'
import type { CopyRequest, Offer } from './copies.ts'
import { fetchCopy } from './fetch-copy.ts'
import { startNats } from './nats.testing.ts'
import { joinRegion } from './region.ts'

/** One store that gives what it is told to, and another that asks for it. */
async function stores(answer: (request: CopyRequest) => unknown) {
  const nats = await startNats()
  onTestFinished(() => nats.stop())
  const [giving, asking] = [await joinRegion(nats.url, 'east'), await joinRegion(nats.url, 'east')]
  onTestFinished(() => asking.leave())
  onTestFinished(() => giving.leave())
  const asked: CopyRequest['type'][] = []
  giving.connection.subscribe('copies.one', {
    callback: (_, message) => {
      const request: CopyRequest = deserialize(message.data)
      asked.push(request.type)
      message.respond(serialize(answer(request)))
    },
  })
  await giving.connection.flush()
  const offer: Offer = {
    subject: 'copies.one',
    region: 'east',
    schema: versions.length,
    shards: new Set([0]),
    origins: new Map([['east-1', 7]]),
  }
  const dataDir = newFolder()
  const path = join(dataDir, 'copy.sqlite')
  const fetching = () =>
    fetchCopy(asking.connection, offer, 'east-1', path, new DiskReserve({ dataDir, diskReserve: 0 }))
  return { fetching, path, asked, giving }
}

test('a store that goes on and on without a copy is left, and the sentence says what may be wrong with it', async () => {
  const { fetching, asked } = await stores(({ type }) => (type === 'progress' ? 4096 : undefined))
  await expect(fetching()).rejects.toThrow(
    'A store in east, asked for a copy of east-1, has not gone on making it for two minutes: its disk may not answer',
  )
  expect(asked.filter((type) => type === 'make').length).toBeLessThan(100)
  await expect.poll(() => asked.at(-1)).toBe('drop')
})

test('however long a large copy takes, it is waited for while it grows', async () => {
  const bytes = new Uint8Array(1000).fill(7)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  let written = 0
  const { fetching, path } = await stores((request) => {
    switch (request.type) {
      case 'make':
        return written < 500 ? undefined : { bytes: bytes.length, sha256 }
      case 'progress':
        return ++written
      case 'read':
        return bytes.subarray(request.offset)
      default:
        return undefined
    }
  })
  await fetching()
  expect(readFileSync(path)).toEqual(Buffer.from(bytes))
})

test('a store of an earlier version, which does not say how it goes on, is waited for', async () => {
  let asks = 0
  const { fetching, path } = await stores(({ type }) => {
    if (type !== 'make' || ++asks < 60) return type === 'read' ? new Uint8Array() : undefined
    return { bytes: 0, sha256: createHash('sha256').digest('hex') }
  })
  await fetching()
  expect(readFileSync(path)).toHaveLength(0)
})

test('a store that ends while it makes a copy is named by its region', async () => {
  const { fetching, giving } = await stores(({ type }) => {
    if (type === 'progress') void giving.connection.close()
    return undefined
  })
  await expect(fetching()).rejects.toThrow(
    /^A store in east, asked for a copy of east-1, does not answer any more \(/,
  )
})
