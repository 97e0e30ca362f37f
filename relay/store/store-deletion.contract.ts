import { expect, test } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import { someDeposit, someEnvelope } from '../testing.ts'
import { checksumOf } from './hash.ts'
import type { Place } from './place.testing.ts'
import { asker, entryAfter, middleOf, opened, put, session, write } from './store.testing.ts'
import { entryKinds } from './store.ts'

/** A deleted session is gone, and stays so. */
export function deletionContract(createPlace: () => Place): void {
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
    const store = await opened(createPlace())
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
}
