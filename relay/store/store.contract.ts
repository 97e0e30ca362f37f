import { describe, expect, test } from 'vitest'
import type { Cursor } from '../../shared/cursor.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { hex, someDeposit, someEnvelope } from '../testing.ts'
import { checksumOf, markOf } from './hash.ts'
import type { Place } from './place.testing.ts'
import {
  asker,
  at,
  cursor,
  entryAfter,
  names,
  newEntry,
  opened,
  put,
  read,
  readPage,
  session,
  write,
} from './store.testing.ts'
import { type Entry, entryKinds, type Store } from './store.ts'
import { deletionContract } from './store-deletion.contract.ts'
import { escrowContract } from './store-escrow.contract.ts'
import { snapshotsContract } from './store-snapshots.contract.ts'

/** What every store must do. One that `readsStream` has its entries, their order and its past from there. */
export function storeContract(
  name: string,
  createPlace: () => Place,
  { readsStream } = { readsStream: false },
): void {
  describe(name, () => {
    logContract(createPlace)
    snapshotsContract(createPlace)
    escrowContract(createPlace)
    deletionContract(createPlace)
    if (!readsStream) orderContract(createPlace)
  })
}

function logContract(createPlace: () => Place): void {
  test('what was saved is there in order after the store was opened again', async () => {
    const place = createPlace()
    const first = await place.open()
    const written = await write(first, 0, 5)
    await first.close()
    const store = await opened(place)
    expect(await read(store)).toEqual({ resumed: false, snapshot: undefined, entries: names(written) })
    const head = await store.head(session)
    expect(head).toMatchObject({ sequence: 5, saved: { sequence: 5 } })
    if (head.outcome === 'head') expect(hex(head.saved?.mark)).toBe(hex(written[4]?.position.mark))
  })

  test('its name in cursors stays the same when it is opened again, and no two have the same', async () => {
    const place = createPlace()
    const { origin, close } = await place
      .open()
      .then((store) => ({ origin: store.origin, close: () => store.close() }))
    await close()
    expect((await opened(place)).origin).toBe(origin)
    expect((await opened(createPlace())).origin).not.toBe(origin)
  })

  test('nothing is known of a session nobody wrote to', async () => {
    const store = await opened(createPlace())
    expect(await read(store)).toEqual({ resumed: false, snapshot: undefined, entries: [] })
    expect(await store.head(session)).toMatchObject({ sequence: 0, saved: undefined })
  })

  test('an envelope that comes twice is in the log once', async () => {
    const store = await opened(createPlace())
    const [first] = await write(store, 0, 2)
    const again = await store.append(session, newEntry(3, 2, first?.envelope))
    expect(again).toEqual({ outcome: 'duplicate', of: 1 })
    expect(await store.append(session, newEntry(4, 3))).toMatchObject({ outcome: 'saved' })
    const { entries } = await readPage(store)
    expect(entries.map(({ position }) => position.sequence)).toEqual([1, 2, 4])
  })

  test('the same envelope may be in two sessions', async () => {
    const store = await opened(createPlace())
    const other = createSessionKeys().session
    const entry = newEntry(1, 0)
    expect(await store.append(session, entry)).toMatchObject({ outcome: 'saved' })
    expect(await store.append(other, entry)).toMatchObject({ outcome: 'saved' })
  })

  test('a known cursor gets what came after it', async () => {
    const store = await opened(createPlace())
    const written = await write(store, 0, 4)
    expect(await read(store, at(store, written[1]))).toMatchObject({
      resumed: true,
      entries: names(written.slice(2)),
    })
    expect(await read(store, at(store, written[3]))).toMatchObject({ resumed: true, entries: [] })
  })

  test.each([
    [
      'of another origin',
      (_: Store, { position }: Entry): Cursor => new Map([['elsewhere.aaaaaaaa', position]]),
    ],
    [
      'of a sequence that was never given',
      (store: Store, { position }: Entry) => cursor(store, { ...position, sequence: 99 }),
    ],
    [
      'with another mark',
      (store: Store, { position }: Entry) => cursor(store, { ...position, mark: new Uint8Array(8) }),
    ],
  ])('a cursor %s gets everything', async (_, make) => {
    const store = await opened(createPlace())
    const written = await write(store, 0, 3)
    const [, second] = written
    if (!second) throw new Error('Three were written')
    expect(await read(store, make(store, second))).toMatchObject({
      resumed: false,
      entries: names(written),
    })
  })

  test('a long log comes in pages', async () => {
    const store = await opened(createPlace())
    const written = await write(store, 0, 12, 65_536)
    const entries: Entry[] = []
    let page = await readPage(store)
    entries.push(...page.entries)
    for (; page.more; entries.push(...page.entries)) page = await readPage(store, cursor(store, page.upTo))
    expect(names(entries)).toEqual(names(written))
  })

  test('a damaged entry is reported, never served, and repaired by sending it again', async () => {
    const place = createPlace()
    const first = await place.open()
    const [written] = await write(first, 0, 1)
    await first.close()
    place.damage('entries')
    const store = await opened(place)
    expect(await read(store)).toMatchObject({ entries: [] })
    expect(place.reported()).toBe(1)
    expect(await store.append(session, newEntry(2, 1, written?.envelope))).toEqual({
      outcome: 'duplicate',
      of: 1,
    })
    expect(await read(store)).toMatchObject({ entries: names([written]) })
  })

  test('it can say that it commits', async () => {
    expect(await (await opened(createPlace())).check()).toEqual({ outcome: 'ready' })
  })

  test('whatever is asked after the end is refused, and what was asked before is done', async () => {
    const place = createPlace()
    const first = await place.open()
    const appending = first.append(session, newEntry(1, 0))
    await first.close()
    expect(await appending).toMatchObject({ outcome: 'saved' })
    expect(await first.append(session, newEntry(2, 1))).toEqual({
      outcome: 'refused',
      reason: 'unreachable',
    })
    expect(await first.head(session)).toEqual({ outcome: 'refused', reason: 'unreachable' })
  })
}

/** Of a store that is told the order of its entries by whoever appends them. */
function orderContract(createPlace: () => Place): void {
  test('a store that went back and releases the same again does not know places of the log it lost', async () => {
    const place = createPlace()
    const first = await opened(place)
    const { round, ...deposit } = someDeposit(1)
    await first.deposit(session, { round, ...deposit })
    await first.close()
    place.copy()
    const lost = await opened(place)
    const again = async (store: Store) => {
      const released = await store.release(session, round, asker)
      if (released.outcome !== 'released') throw new Error(released.outcome)
      const entry = { ...newEntry(1, 0, released.body), kind: entryKinds.released }
      await store.append(session, entry)
      return { sequence: 1, mark: markOf(entry.checksum) }
    }
    const before = await again(lost)
    await lost.close()
    place.restore()
    const store = await opened(place)
    const after = await again(store)
    expect((await readPage(store, cursor(store, after))).resumed).toBe(true)
    expect((await readPage(store, cursor(store, before))).resumed).toBe(false)
  })

  test('what was released is told apart from changes in the log', async () => {
    const store = await opened(createPlace())
    const entry = { ...entryAfter(0), kind: entryKinds.released }
    await store.append(session, entry)
    await store.append(session, entryAfter(1))
    const { entries } = await readPage(store)
    expect(entries.map(({ kind }) => kind)).toEqual([entryKinds.released, entryKinds.change])
  })

  test('an entry whose predecessor is not in the log is refused, so that no cursor stands behind a gap', async () => {
    const store = await opened(createPlace())
    await write(store, 0, 2)
    const results = await Promise.all([
      store.append(session, newEntry(4, 3)),
      store.append(session, newEntry(5, 4)),
    ])
    expect(results).toEqual([
      { outcome: 'refused', reason: 'unreachable' },
      { outcome: 'refused', reason: 'unreachable' },
    ])
    expect(await store.append(session, newEntry(9, 2))).toMatchObject({ outcome: 'saved' })
  })

  test('a read that was asked for after an append sees it', async () => {
    const store = await opened(createPlace())
    const appending = store.append(session, newEntry(1, 0))
    expect((await read(store)).entries).toHaveLength(1)
    expect(await appending).toMatchObject({ outcome: 'saved' })
  })

  test('after a roll-back a cursor into what is lost gets everything, even when the log has grown past it', async () => {
    const place = createPlace()
    const yesterday = await place.open()
    await write(yesterday, 0, 2)
    await yesterday.close()
    place.copy()
    const today = await place.open()
    const [lost] = await write(today, 2, 1)
    await today.close()
    place.restore()
    const store = await opened(place)
    expect(await read(store, at(store, lost))).toMatchObject({ resumed: false, entries: { length: 2 } })
    await write(store, 2, 2)
    expect(await read(store, at(store, lost))).toMatchObject({ resumed: false, entries: { length: 4 } })
  })

  test('what snapshots do not replace ends at the quota', async () => {
    const store = await opened(createPlace(), { sessionMaxBytes: 1 << 20 })
    let replaces: Uint8Array | undefined
    let saved = 0
    for (; saved < 60; saved++) {
      const entry = { ...entryAfter(saved, 65_536), kind: entryKinds.released }
      if ((await store.append(session, entry)).outcome === 'refused') break
      const envelope = someEnvelope()
      const position = { sequence: entry.sequence, mark: markOf(entry.checksum) }
      await put(store, { ...entry, position }, replaces, envelope)
      replaces = checksumOf(envelope)
    }
    expect(saved).toBeGreaterThan(16)
    expect(saved).toBeLessThan(60)
  })
}
