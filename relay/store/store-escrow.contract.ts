import { expect, test } from 'vitest'
import { decodeReleased, encodeKeys, mostKeys } from '../../shared/escrow.ts'
import { hex, random, someDeposit } from '../testing.ts'
import type { Place } from './place.testing.ts'
import { asker, bodyOf, opened, otherAsker, session } from './store.testing.ts'

/** What a store does with the keys of boxes. */
export function escrowContract(createPlace: () => Place): void {
  test('the keys of a round leave together and in the order of their names, and no other comes after them', async () => {
    const store = await opened(createPlace())
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
    const store = await opened(createPlace())
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
    const store = await opened(createPlace())
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
    const store = await opened(createPlace())
    const deposits = Array.from({ length: mostKeys + 1 }, () => store.deposit(session, someDeposit(1)))
    expect((await Promise.all(deposits)).at(-1)).toEqual({ outcome: 'refused', reason: 'quota' })
    expect(await store.deposit(session, someDeposit(2))).toEqual({ outcome: 'deposited' })
  })

  test('a damaged key is reported and never released, and repaired by depositing it again', async () => {
    const place = createPlace()
    const first = await place.open()
    const [lost, repaired] = [someDeposit(1), someDeposit(2)]
    await first.deposit(session, lost)
    await first.close()
    place.damage('deposits')
    const second = await place.open()
    const keys = decodeReleased(Buffer.from(bodyOf(await second.release(session, lost.round, asker)), 'hex'))
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
}
