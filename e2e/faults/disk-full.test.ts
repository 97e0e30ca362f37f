import { deserialize, serialize } from 'node:v8'
import { expect, onTestFinished, test } from 'vitest'
import type { CopyRequest, Offer } from '../../relay/cluster/copies.ts'
import { fill } from '../../relay/cluster/fill.ts'
import { startNats } from '../../relay/cluster/nats.testing.ts'
import { joinRegion, type Region } from '../../relay/cluster/region.ts'
import { BareClient } from '../../relay/connections/bare-client.testing.ts'
import { closeCodes } from '../../relay/connections/close-words.ts'
import { startupFailure } from '../../relay/process.testing.ts'
import { versions } from '../../relay/store/database.ts'
import { hex, someEnvelope } from '../../relay/testing.ts'
import { addStories } from '../../shared/document.ts'
import { createSessionKeys, deleteStatement, keysFor, roleSeed, sign } from '../../shared/keys.ts'
import { seat } from './seated.ts'
import {
  emptyDisk,
  fileSystemOf,
  fillDisk,
  limitedDatabase,
  mayMount,
  type SmallDisk,
  smallFileSystem,
} from './small-disk.ts'
import { Trial, until } from './trial.ts'

const disks: [string, () => Promise<SmallDisk>, string][] = [
  ['a database that may not grow', limitedDatabase, 'SQLITE_FULL'],
]
if (mayMount) {
  disks.push(['a file system without room', () => smallFileSystem(), 'SQLITE_FULL'])
  disks.push([
    'a file system with less room than its reserve',
    () => smallFileSystem('4000000'),
    'DISK_RESERVE',
  ])
}

test.each(disks)(
  '%s: changes are refused and said to be, the session goes on, and all is well 10 s after there is room',
  async (_, start, code) => {
    const disk = await start()
    const keys = createSessionKeys()
    const member = keysFor('member', keys)
    const alice = await BareClient.join(disk.url, keys)
    const bob = await BareClient.join(disk.url, member)
    const other = createSessionKeys()
    const eva = await BareClient.join(disk.url, other)
    const acknowledged: string[] = []
    const first = someEnvelope()
    expect(await eva.save(first)).toMatchObject({ type: 'saved' })

    await disk.fill()
    let answer = await append(alice)
    for (let sent = 0; sent < 400 && answer.type === 'saved'; sent++) answer = await append(alice)
    expect(answer).toMatchObject({ type: 'unsaved', reason: 'full' })
    expect(disk.said()).toContain(`"reason":"full","code":"${code}"`)
    expect((await fetch(`${disk.url}/readyz`)).status).toBe(503)

    const unkept = someEnvelope()
    expect(await alice.save(unkept)).toMatchObject({ type: 'unsaved', reason: 'full' })
    expect((await bob.next('entry', ({ envelope }) => hex(envelope) === hex(unkept))).envelope).toEqual(
      unkept,
    )
    const carol = await BareClient.join(disk.url, member)
    expect(carol.envelopes().map(hex)).toEqual(acknowledged)
    expect(carol.frames.at(-1)).toMatchObject({ type: 'caughtUp', log: 'unreachable' })

    await disk.clear()
    const room = performance.now()
    for (const person of [alice, bob, carol]) expect(await person.closed).toEqual(closeCodes.resume)
    const back = await BareClient.join(disk.url, keys)
    expect(await back.save(unkept)).toMatchObject({ type: 'saved' })
    expect(performance.now() - room).toBeLessThan(10_000)
    const dave = await BareClient.join(disk.url, member)
    expect(dave.envelopes().map(hex)).toEqual([...acknowledged, hex(unkept)])
    expect(dave.frames.at(-1)).toMatchObject({ type: 'caughtUp', log: 'kept' })
    expect((await BareClient.join(disk.url, other)).envelopes()).toEqual([first])

    async function append(client: BareClient) {
      const envelope = someEnvelope(32_768)
      const answer = await client.save(envelope)
      if (answer.type === 'saved') acknowledged.push(hex(envelope))
      return answer
    }
  },
)

test('below the reserve of the disk nothing is kept, a session can still be read and deleted, and devices keep what they made', async () => {
  const trial = await Trial.start()
  const owner = createSessionKeys()
  const alice = await BareClient.join(trial.url, owner)
  const kept = someEnvelope()
  expect(await alice.save(kept)).toMatchObject({ type: 'saved' })
  await trial.end('SIGTERM')
  const short = await Trial.start({ DISK_RESERVE: String(1e14) }, trial.dataDir)
  const bob = await seat('bob', keysFor('member', owner), () => short.url)
  addStories(bob.doc, [{ title: 'Search by date' }])
  await until(() => bob.link?.state.state === 'unkept', 'bob is told that it is not kept')
  expect(bob.link?.waiting).toBeGreaterThan(0)
  expect(short.said).toContain('"reason":"full","code":"DISK_RESERVE"')
  const carol = await BareClient.join(short.url, owner)
  expect(carol.envelopes()).toEqual([kept])
  carol.send({ type: 'delete', signature: sign(deleteStatement(owner.session), roleSeed(owner)) })
  expect(await carol.closed).toEqual(closeCodes.deleted)
})

test.runIf(mayMount)('a relay that finds no room at its start says what to do', async () => {
  const DATA_DIR = fileSystemOf('16k') // less than SQLite's shared memory takes
  expect((await startupFailure({ DATA_DIR })).words).toBe(
    `The disk under ${DATA_DIR}/facedown.sqlite is full. Make room, then start again.\n`,
  )
})

test.runIf(mayMount)(
  'a relay whose disk is full stops as any other, and what was saved is there again',
  async () => {
    const dataDir = fileSystemOf('8m')
    const trial = await Trial.start({ DISK_RESERVE: '0' }, dataDir)
    const keys = createSessionKeys()
    const alice = await BareClient.join(trial.url, keys)
    // So much that the database has to grow when it takes them out of the write-ahead log.
    const kept = Array.from({ length: 20 }, () => someEnvelope(32_768))
    for (const envelope of kept) expect(await alice.save(envelope)).toMatchObject({ type: 'saved' })
    fillDisk(dataDir)
    expect(await trial.end('SIGTERM')).toBe(0)
    expect(trial.said).toContain('"event":"stopped"')
    expect(trial.said).not.toContain('"event":"failed"')
    emptyDisk(dataDir)
    await trial.resume()
    expect((await BareClient.join(trial.url, keys)).envelopes()).toEqual(kept)
  },
)

test.runIf(mayMount)(
  'a store whose disk becomes full while it takes a copy says so and waits for room',
  async () => {
    const [region, giving] = await twoOf('east')
    const dataDir = fileSystemOf('8m')
    const offer: Offer = {
      subject: 'copies.one',
      region: 'east',
      schema: versions.length,
      shards: new Set([0]),
      origins: new Map([['east-1', 7]]),
    }
    giving.connection.subscribe(offer.subject, {
      callback: (_, message) => {
        const { type }: CopyRequest = deserialize(message.data)
        if (type === 'read') fillDisk(dataDir)
        message.respond(serialize(type === 'read' ? Buffer.alloc(1e6) : { bytes: 1e6, sha256: '' }))
      },
    })
    await giving.connection.flush()
    const failed: string[] = []
    const filling = await fill(region, {
      dataDir,
      origin: 'east-1',
      shards: offer.shards,
      offers: [offer],
      beginEmpty: false,
      takesPart: false,
      diskReserve: 0,
      failed: (error) => failed.push(String(error)),
      damaged: () => {},
      signal: new AbortController().signal,
    })
    expect(filling).toMatchObject({ outcome: 'lacks', isForRoom: true })
    expect(failed).toEqual([
      'Error: The disk of DATA_DIR became full while a copy of east-1 was taken: make room',
    ])
  },
)

async function twoOf(name: string): Promise<[Region, Region]> {
  const nats = await startNats()
  onTestFinished(() => nats.stop())
  const regions: [Region, Region] = [await joinRegion(nats.url, name), await joinRegion(nats.url, name)]
  for (const region of regions) onTestFinished(() => region.leave())
  return regions
}
