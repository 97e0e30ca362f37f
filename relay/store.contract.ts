import { describe, expect, onTestFinished, test } from 'vitest'
import type { Cursor, Position } from '../shared/cursor.ts'
import { decodeReleased, encodeKeys, mostKeys } from '../shared/escrow.ts'
import { createSessionKeys } from '../shared/keys.ts'
import { checksumOf, markOf } from './hash.ts'
import { longLog } from './log-tables.ts'
import { type Entry, entryKinds, type NewEntry, type Page, type Release, type Store } from './store.ts'
import type { CheckedTable } from './store-protocol.ts'
import { random, someDeposit, someEnvelope } from './testing.ts'

/** What a store keeps its logs in, and what can happen to that. */
export interface Place {
  open(options?: { readonly sessionMaxBytes: number }): Promise<Store>
  /** Remembers everything as it is, with no store open. */
  copy(): void
  /** Puts everything back as it was at the copy, with no store open. */
  restore(): void
  /** Changes a byte of the only entry, the newest snapshot or the only deposit, with no store open. */
  damage(table: CheckedTable): void
  /** Whether the bytes are anywhere in its files. */
  holds(bytes: Uint8Array): boolean
  /** How many rows were reported as damaged. */
  reported(): number
}

/** What every store must do. One that `readsStream` has its entries, their order and its past from there. */
export function storeContract(
  name: string,
  createPlace: () => Place,
  { readsStream } = { readsStream: false },
): void {
  const session = createSessionKeys().session

  async function opened(
    place = createPlace(),
    options?: { readonly sessionMaxBytes: number },
  ): Promise<Store> {
    const store = await place.open(options)
    onTestFinished(() => store.close())
    return store
  }

  describe(name, () => {
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
      expect((await opened()).origin).not.toBe(origin)
    })

    test('a session that was deleted is gone for good, after the store was opened again too', async () => {
      const place = createPlace()
      const first = await place.open()
      await write(first, 0, 5)
      const other = createSessionKeys().session
      const [kept] = await Promise.all([first.append(other, entryAfter(0)), first.delete(session)])
      expect(kept).toMatchObject({ outcome: 'saved' })
      expect(await first.since(session, new Map(), 0)).toEqual({ outcome: 'deleted' })
      await first.close()
      const store = await opened(place)
      expect(await store.since(session, new Map(), 0)).toEqual({ outcome: 'deleted' })
      expect(await store.append(session, entryAfter(0))).toEqual({ outcome: 'deleted' })
      const gone = {
        position: { sequence: 1, mark: new Uint8Array(8) },
        kind: entryKinds.change,
        envelope: someEnvelope(),
      }
      expect(await put(store, gone, undefined, someEnvelope())).toEqual({ outcome: 'outdated' })
      expect(await store.delete(session)).toEqual({ outcome: 'deleted' })
      expect(await store.since(session, new Map(), 0)).toEqual({ outcome: 'deleted' })
      expect(await store.since(other, new Map(), 0)).toMatchObject({ outcome: 'page', entries: [{}] })
    })

    test('a session that was deleted before anything of it came is not taken afterwards', async () => {
      const store = await opened()
      expect(await store.delete(session)).toEqual({ outcome: 'deleted' })
      expect(await store.append(session, entryAfter(0))).toEqual({ outcome: 'deleted' })
    })

    test('nothing of a deleted session is left in the files, of what snapshots had replaced neither', async () => {
      const place = createPlace()
      const store = await opened(place)
      const small = await write(store, 0, 40)
      const large = await write(store, 40, 4, 65_536)
      const written = [...small, ...large]
      const snapshots = [someEnvelope(1024), someEnvelope(200_000), someEnvelope(4096)]
      let replaces: Uint8Array | undefined
      for (const [index, envelope] of snapshots.entries()) {
        expect(await put(store, written[index * 20], replaces, envelope)).toEqual({ outcome: 'kept' })
        replaces = checksumOf(envelope)
      }
      const envelopes = [...written.map(({ envelope }) => envelope), ...snapshots]
      const left = () => envelopes.filter((envelope) => place.holds(middleOf(envelope))).length
      expect(left()).toBeGreaterThan(0)
      expect(await store.delete(session)).toEqual({ outcome: 'deleted' })
      expect(left()).toBe(0)
    })

    test('the keys of a round leave together and in the order of their names, and no other comes after them', async () => {
      const store = await opened()
      const [first, second] = [someDeposit(1), someDeposit(1)]
      for (const deposit of [second, first, first, someDeposit(2)]) {
        expect(await store.deposit(session, deposit)).toEqual({ outcome: 'deposited' })
      }
      const released = await store.release(session, first.round, asker)
      const keys = [first, second].map(({ seal, key }) => ({ seal, key }))
      keys.sort((a, b) => Buffer.compare(a.seal, b.seal))
      const body = bodyOf(released)
      expect(body.startsWith(hex(first.round) + hex(asker))).toBe(true)
      expect(body.endsWith(hex(encodeKeys(keys)))).toBe(true)
      expect(bodyOf(await store.release(session, first.round, otherAsker))).toBe(bodyOf(released))
      expect(await store.deposit(session, someDeposit(1))).toEqual({ outcome: 'closed' })
      expect(await store.deposit(session, someDeposit(2))).toEqual({ outcome: 'deposited' })
    })

    test('a key is not replaced by who does not know it, and forgotten for who does', async () => {
      const store = await opened()
      const first = someDeposit(1)
      await store.deposit(session, first)
      expect(await store.deposit(session, { ...first, key: random(32) })).toEqual({ outcome: 'closed' })
      const second = { ...someDeposit(1), replaces: [first.key] }
      expect(await store.deposit(session, second)).toEqual({ outcome: 'deposited' })
      const released = bodyOf(await store.release(session, first.round, asker))
      expect(released).toContain(hex(second.key))
      expect(released).not.toContain(hex(first.key))
    })

    test('who knows the key of a seal may put another in its place, so that the box opens no more', async () => {
      const store = await opened()
      const first = someDeposit(1)
      await store.deposit(session, first)
      const instead = { ...first, key: random(32), replaces: [first.key] }
      expect(await store.deposit(session, instead)).toEqual({ outcome: 'deposited' })
      const released = bodyOf(await store.release(session, first.round, asker))
      expect(released).toContain(hex(instead.key))
      expect(released).not.toContain(hex(first.key))
    })

    test('keys and releases are still there when the store opens again', async () => {
      const place = createPlace()
      const first = await opened(place)
      const [kept, gone] = [someDeposit(1), someDeposit(2)]
      for (const deposit of [kept, gone]) await first.deposit(session, deposit)
      const released = bodyOf(await first.release(session, gone.round, asker))
      await first.close()
      const store = await opened(place)
      expect(bodyOf(await store.release(session, gone.round, otherAsker))).toBe(released)
      expect(bodyOf(await store.release(session, kept.round, asker))).toContain(hex(kept.key))
    })

    test('a round has an end of keys, and so has a session', async () => {
      const store = await opened()
      const deposits = Array.from({ length: mostKeys + 1 }, () => store.deposit(session, someDeposit(1)))
      expect((await Promise.all(deposits)).at(-1)).toEqual({ outcome: 'refused', reason: 'quota' })
      expect(await store.deposit(session, someDeposit(2))).toEqual({ outcome: 'deposited' })
    })

    test('a deleted session keeps no key and takes none', async () => {
      const place = createPlace()
      const store = await opened(place)
      const deposits = [someDeposit(1), someDeposit(2)]
      for (const deposit of deposits) await store.deposit(session, deposit)
      await store.release(session, someDeposit(2).round, asker)
      await store.delete(session)
      for (const { key } of deposits) expect(place.holds(key)).toBe(false)
      expect(await store.deposit(session, someDeposit(1))).toEqual({ outcome: 'deleted' })
      expect(await store.release(session, someDeposit(1).round, asker)).toEqual({ outcome: 'deleted' })
    })

    test('nothing is known of a session nobody wrote to', async () => {
      const store = await opened()
      expect(await read(store)).toEqual({ resumed: false, snapshot: undefined, entries: [] })
      expect(await store.head(session)).toMatchObject({ sequence: 0, saved: undefined })
    })

    test('an envelope that comes twice is in the log once', async () => {
      const store = await opened()
      const [first] = await write(store, 0, 2)
      const again = await store.append(session, newEntry(3, 2, first?.envelope))
      expect(again).toEqual({ outcome: 'duplicate', of: 1 })
      expect(await store.append(session, newEntry(4, 3))).toMatchObject({ outcome: 'saved' })
      const { entries } = await readPage(store)
      expect(entries.map(({ position }) => position.sequence)).toEqual([1, 2, 4])
    })

    test('the same envelope may be in two sessions', async () => {
      const store = await opened()
      const other = createSessionKeys().session
      const entry = newEntry(1, 0)
      expect(await store.append(session, entry)).toMatchObject({ outcome: 'saved' })
      expect(await store.append(other, entry)).toMatchObject({ outcome: 'saved' })
    })

    test('a known cursor gets what came after it', async () => {
      const store = await opened()
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
      const store = await opened()
      const written = await write(store, 0, 3)
      const [, second] = written
      if (!second) throw new Error('Three were written')
      expect(await read(store, make(store, second))).toMatchObject({
        resumed: false,
        entries: names(written),
      })
    })

    test('a long log comes in pages', async () => {
      const store = await opened()
      const written = await write(store, 0, 12, 65_536)
      const entries: Entry[] = []
      let page = await readPage(store)
      entries.push(...page.entries)
      for (; page.more; entries.push(...page.entries)) page = await readPage(store, cursor(store, page.upTo))
      expect(names(entries)).toEqual(names(written))
    })

    test('a log longer than 200 entries or 64 KiB since the snapshot asks for one', async () => {
      const store = await opened()
      const few = await appendAll(store, 0, longLog.entries - 8, 300)
      expect(few.filter((appended) => 'compact' in appended && appended.compact)).toEqual([])
      const more = await appendAll(store, longLog.entries - 8, 40, 300)
      expect(more.at(-1)).toEqual({ outcome: 'saved', compact: { replaces: undefined } })
    })

    test('a snapshot stands for the entries it covers, which stay for those who had a cursor', async () => {
      const store = await opened()
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
      const store = await opened()
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
      const store = await opened()
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
      const store = await opened()
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

    test('a damaged key is reported and never released, and repaired by depositing it again', async () => {
      const place = createPlace()
      const first = await place.open()
      const [lost, repaired] = [someDeposit(1), someDeposit(2)]
      await first.deposit(session, lost)
      await first.close()
      place.damage('deposits')
      const second = await place.open()
      const keys = decodeReleased(
        Buffer.from(bodyOf(await second.release(session, lost.round, asker)), 'hex'),
      )
      expect(keys).toMatchObject({ round: lost.round, keys: [] })
      expect(place.reported()).toBe(1)
      await second.deposit(session, repaired)
      await second.close()
      place.damage('deposits')
      const store = await opened(place)
      expect(await store.deposit(session, repaired)).toEqual({ outcome: 'deposited' })
      expect(place.reported()).toBe(2)
      const { seal, key, round } = repaired
      expect(bodyOf(await store.release(session, round, asker))).toContain(hex(encodeKeys([{ seal, key }])))
      expect(place.reported()).toBe(2)
    })

    test('it can say that it commits', async () => {
      expect(await (await opened()).check()).toEqual({ outcome: 'ready' })
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

    if (readsStream) return

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
      const store = await opened()
      const entry = { ...entryAfter(0), kind: entryKinds.released }
      await store.append(session, entry)
      await store.append(session, entryAfter(1))
      const { entries } = await readPage(store)
      expect(entries.map(({ kind }) => kind)).toEqual([entryKinds.released, entryKinds.change])
    })

    test('an entry whose predecessor is not in the log is refused, so that no cursor stands behind a gap', async () => {
      const store = await opened()
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
      const store = await opened()
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
  })

  async function write(store: Store, after: number, count: number, length?: number): Promise<Entry[]> {
    const entries = Array.from({ length: count }, (_, index) => entryAfter(after + index, length))
    const results = await Promise.all(entries.map((entry) => store.append(session, entry)))
    expect(results.map(({ outcome }) => outcome)).toEqual(entries.map(() => 'saved'))
    return entries.map(({ sequence, checksum, kind, envelope }) => ({
      position: { sequence, mark: markOf(checksum) },
      kind,
      envelope,
    }))
  }

  function appendAll(store: Store, after: number, count: number, length: number) {
    const appending = Array.from({ length: count }, (_, index) =>
      store.append(session, entryAfter(after + index, length)),
    )
    return Promise.all(appending)
  }

  async function read(store: Store, from?: Cursor, generation?: number) {
    const { resumed, snapshot, entries } = await readPage(store, from, generation)
    return {
      resumed,
      snapshot: snapshot && nameOf(snapshot.covers, snapshot.envelope),
      entries: names(entries),
    }
  }

  async function readPage(store: Store, from: Cursor = new Map(), generation = 0): Promise<Page> {
    const page = await store.since(session, from, generation)
    if (page.outcome === 'refused') throw new Error(`The store is ${page.reason}`)
    if (page.outcome === 'deleted') throw new Error('The session was deleted')
    return page
  }

  function put(
    store: Store,
    covers: Entry | undefined,
    replaces: Uint8Array | undefined,
    envelope: Uint8Array,
  ) {
    return store.putSnapshot(session, { covers: at(store, covers), replaces, envelope })
  }
}

function entryAfter(previous: number, length?: number): NewEntry {
  return newEntry(previous + 1, previous, someEnvelope(length))
}

function newEntry(sequence: number, previous: number, envelope = someEnvelope()): NewEntry {
  return { sequence, previous, checksum: checksumOf(envelope), kind: entryKinds.change, envelope }
}

const asker = new Uint8Array(176).fill(1)
const otherAsker = new Uint8Array(176).fill(2)

function bodyOf(release: Release): string {
  if (release.outcome !== 'released') throw new Error(`The release was ${release.outcome}`)
  return hex(release.body)
}

function at(store: Store, entry: Entry | undefined): Cursor {
  return cursor(store, entry?.position)
}

/** Short enough to be compared and printed. */
function names(entries: readonly (Entry | undefined)[]): string[] {
  return entries.map((entry) => nameOf(entry?.position, entry?.envelope))
}

function snapshotName(covered: Entry | undefined, envelope: Uint8Array | undefined): string {
  return nameOf(covered?.position, envelope)
}

function nameOf(position: Position | undefined, envelope: Uint8Array = new Uint8Array()): string {
  return `${position?.sequence} ${hex(position?.mark)} ${hex(checksumOf(envelope))}`
}

/** Short enough to lie in one page of a file. */
function middleOf(envelope: Uint8Array): Uint8Array {
  const middle = Math.floor(envelope.length / 2)
  return envelope.subarray(middle, middle + 24)
}

function hex(bytes: Uint8Array = new Uint8Array()): string {
  return Buffer.from(bytes).toString('hex')
}

function cursor(store: Store, position: Position | undefined): Cursor {
  return position ? new Map([[store.origin, position]]) : new Map()
}
