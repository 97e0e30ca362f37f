import { expect, test } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import { hex, someEnvelope } from '../testing.ts'
import { checksumOf } from './hash.ts'
import type { Place } from './place.testing.ts'
import { longLog } from './session-table.ts'
import {
  appendAll,
  at,
  names,
  newEntry,
  opened,
  put,
  read,
  session,
  snapshotName,
  write,
} from './store.testing.ts'
import { type Entry, entryKinds } from './store.ts'

/** What snapshots stand for, and the quota they lead back under. */
export function snapshotsContract(createPlace: () => Place): void {
  test('a log longer than 200 entries or 64 KiB since the snapshot asks for one', async () => {
    const store = await opened(createPlace())
    const few = await appendAll(store, 0, longLog.entries - 8, 300)
    expect(few.filter((appended) => 'compact' in appended && appended.compact)).toEqual([])
    const more = await appendAll(store, longLog.entries - 8, 40, 300)
    expect(more.at(-1)).toEqual({ outcome: 'saved', compact: { replaces: undefined } })
  })

  test('a snapshot stands for the entries it covers, which stay for those who had a cursor', async () => {
    const store = await opened(createPlace())
    const written = await write(store, 0, 4)
    const envelope = someEnvelope(1024)
    expect(await put(store, written[2], undefined, envelope)).toEqual({ outcome: 'kept' })
    expect(await read(store)).toEqual({
      resumed: false,
      snapshot: snapshotName(written[2], envelope),
      entries: names(written.slice(3)),
    })
    expect(await read(store, at(store, written[0]))).toMatchObject({
      resumed: true,
      entries: names(written.slice(1)),
    })
    expect(await read(store, new Map(), 1)).toMatchObject({ snapshot: undefined, entries: names(written) })
  })

  test('two snapshots and the entries since the older one are kept', async () => {
    const store = await opened(createPlace())
    const written = await write(store, 0, 6)
    const envelopes = [someEnvelope(), someEnvelope(), someEnvelope()]
    let replaces: Uint8Array | undefined
    for (const [index, envelope] of envelopes.entries()) {
      expect(await put(store, written[index * 2], replaces, envelope)).toEqual({ outcome: 'kept' })
      replaces = checksumOf(envelope)
    }
    expect(await read(store)).toMatchObject({
      snapshot: snapshotName(written[4], envelopes[2]),
      entries: names(written.slice(5)),
    })
    expect(await read(store, new Map(), 1)).toMatchObject({
      snapshot: snapshotName(written[2], envelopes[1]),
      entries: names(written.slice(3)),
    })
    expect(await read(store, new Map(), 2)).toMatchObject({
      snapshot: undefined,
      entries: names(written.slice(3)),
    })
    expect(await read(store, at(store, written[0]))).toMatchObject({
      resumed: false,
      entries: names(written.slice(5)),
    })
    expect(await read(store, at(store, written[2]))).toMatchObject({
      resumed: true,
      entries: names(written.slice(3)),
    })
    expect(await store.append(session, newEntry(7, 6))).toMatchObject({ outcome: 'saved' })
  })

  test('of two snapshots that race to replace the same one, one is kept', async () => {
    const store = await opened(createPlace())
    const written = await write(store, 0, 4)
    const first = someEnvelope()
    await put(store, written[0], undefined, first)
    const results = await Promise.all([
      put(store, written[2], checksumOf(first), someEnvelope()),
      put(store, written[3], checksumOf(first), someEnvelope()),
    ])
    expect(results).toEqual([{ outcome: 'kept' }, { outcome: 'outdated' }])
  })

  test('a snapshot that covers no more, a place not in the log, or replaces none of ours is outdated', async () => {
    const store = await opened(createPlace())
    const written = await write(store, 0, 3)
    const first = someEnvelope()
    await put(store, written[1], undefined, first)
    const [, second, third] = written
    const outdated = { outcome: 'outdated' }
    expect(await put(store, second, checksumOf(first), someEnvelope())).toEqual(outdated)
    expect(await put(store, third, undefined, someEnvelope())).toEqual(outdated)
    expect(await put(store, third, new Uint8Array(16), someEnvelope())).toEqual(outdated)
    const nowhere = {
      position: { sequence: 3, mark: new Uint8Array(8) },
      kind: entryKinds.change,
      envelope: someEnvelope(),
    }
    expect(await put(store, nowhere, checksumOf(first), someEnvelope())).toEqual(outdated)
  })

  test('a session may use up its own bytes and nobody else’s', async () => {
    const store = await opened(createPlace(), { sessionMaxBytes: 1 << 20 })
    const results = await appendAll(store, 0, 20, 65_536)
    expect(results.filter(({ outcome }) => outcome === 'saved')).toHaveLength(16)
    expect(results.at(-1)).toEqual({ outcome: 'refused', reason: 'quota' })
    expect(await store.head(session)).toMatchObject({ sequence: 16, overQuota: { replaces: undefined } })
    const other = createSessionKeys().session
    expect(await store.append(other, newEntry(1, 0))).toMatchObject({ outcome: 'saved' })
  })

  test('snapshots lead back under the quota', async () => {
    const store = await opened(createPlace(), { sessionMaxBytes: 1 << 20 })
    const written = await write(store, 0, 16, 65_536)
    const first = someEnvelope()
    expect(await put(store, written[15], undefined, first)).toEqual({ outcome: 'kept' })
    expect(await store.head(session)).toMatchObject({ overQuota: undefined })
    const [little] = await write(store, 16, 1)
    const again = await store.append(session, newEntry(18, 17))
    expect('compact' in again && hex(again.compact?.replaces)).toBe(hex(checksumOf(first)))
    expect((await read(store, undefined, 1)).entries[0]).toEqual(names(written)[0])
    expect(await put(store, little, checksumOf(first), someEnvelope())).toEqual({ outcome: 'kept' })
    expect((await read(store, undefined, 1)).entries).toHaveLength(2)
    expect(await appendAll(store, 18, 1, 256)).toEqual([{ outcome: 'saved', compact: undefined }])
  })

  test('over the quota there is room for one snapshot after the other, and little more', async () => {
    const store = await opened(createPlace(), { sessionMaxBytes: 1 << 20 })
    let entries = await write(store, 0, 16, 65_536)
    let replaces: Uint8Array | undefined
    const replaceBy = async (covers: Entry | undefined) => {
      const envelope = someEnvelope(1 << 20)
      expect(await put(store, covers, replaces, envelope)).toEqual({ outcome: 'kept' })
      replaces = checksumOf(envelope)
    }
    for (const early of entries.slice(0, 2)) await replaceBy(early)
    expect(await store.append(session, newEntry(17, 16))).toEqual({ outcome: 'refused', reason: 'quota' })
    for (let last = 16; last < 20; last++) {
      await replaceBy(entries.at(-1))
      entries = await write(store, last, 1, 65_536)
      const [refused] = await appendAll(store, last + 1, 1, 256)
      expect(refused).toEqual({ outcome: 'refused', reason: 'quota' })
    }
    expect((await read(store, undefined, 1)).entries).toHaveLength(2)
  })

  test('in place of a damaged snapshot the one before is served', async () => {
    const place = createPlace()
    const first = await place.open()
    const written = await write(first, 0, 4)
    const older = someEnvelope()
    await put(first, written[0], undefined, older)
    await put(first, written[2], checksumOf(older), someEnvelope())
    await first.close()
    place.damage('snapshots')
    const store = await opened(place)
    expect(await read(store)).toMatchObject({
      snapshot: snapshotName(written[0], older),
      entries: names(written.slice(1)),
    })
    expect(place.reported()).toBe(1)
  })
}
