import { afterEach, expect, test, vi } from 'vitest'
import { recordsOf } from '../../shared/document.ts'
import { encodeReleased, escrowName, type ReleasedKey } from '../../shared/escrow.ts'
import type { RoundId } from '../../shared/id.ts'
import { encodeRelease } from '../../shared/record.ts'
import { bytesOf, Device, meet, memberKeys } from '../../shared/testing.ts'
import type { SessionCore } from './core.ts'
import { Escrow } from './escrow.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** The escrow of this person's device, with a connection to a store. */
function escrowOf(device: Device) {
  const askForRelease = vi.fn()
  const { ledger, participant, doc, seed } = device
  const core = {
    options: { keys: memberKeys, seed },
    ledger,
    participant,
    doc,
    link: { connection: {}, waiting: 0, askForRelease, deposit: () => {} },
    mayWrite: true,
    here: new Set([device.id]),
    add: (bytes: Uint8Array) => device.publish(bytes),
    change: () => {},
  }
  return { escrow: new Escrow(core as unknown as SessionCore), askForRelease }
}

function people() {
  return ['alice', 'bob', 'carol'].map((name) => new Device(name).introduces()) as [Device, Device, Device]
}

function keyOf(device: Device, round: RoundId): ReleasedKey[] {
  const own = device.depositor.deposit(device.round(round), false)
  return own ? [own.deposit] : []
}

test('a wrong key that somebody passed off as released keeps nobody from asking for the right one', () => {
  const [alice, bob, mallory] = people()
  const round = bob.starts()
  meet(alice, bob, mallory)
  const seal = alice.votes(round, '8')
  mallory.votes(round, '1')
  const wrong = { seal: escrowName(memberKeys, seal), key: bytesOf(0) }
  const { asker } = mallory.depositor.askForRelease(round)
  mallory.publish(
    encodeRelease({ kind: 'release', round, ...asker, keys: [...keyOf(mallory, round), wrong] }),
  )
  bob.hears(alice)
  bob.reveals(round)
  bob.hears(mallory)
  expect(bob.sees(round)).toMatchObject({ alice: 'unopenable' })
  const { escrow, askForRelease } = escrowOf(bob)
  escrow.askFor(round, new Set([bob.id, mallory.id]))
  expect(askForRelease).toHaveBeenCalledOnce()
})

test('of two answers of stores to one person, before and after a store was restored, both are written down', () => {
  vi.useFakeTimers()
  const [alice, bob, carol] = people()
  const round = bob.starts()
  meet(alice, bob, carol)
  alice.votes(round, '8')
  carol.votes(round, '5')
  bob.hears(alice, carol)
  const { asker } = bob.depositor.askForRelease(round)
  const name = escrowName(memberKeys, round)
  const { escrow } = escrowOf(alice)
  alice.hears(bob)
  for (const [at, keys] of [keyOf(alice, round), keyOf(carol, round)].entries()) {
    escrow.released(encodeReleased({ round: name, asker, salt: bytesOf(at, 16), keys }))
  }
  expect(alice.sees(round)).toEqual({ alice: 'counted 8', carol: 'counted 5' })
  vi.advanceTimersByTime(10_000)
  const newcomer = new Device('dave')
  newcomer.hears(alice)
  expect(newcomer.sees(round)).toEqual(alice.sees(round))
  expect(escrow.holds).toBe(false)
})

test('what a relay makes up as released is written down by nobody', () => {
  vi.useFakeTimers()
  const [alice, bob, carol] = people()
  const round = bob.starts()
  meet(alice, bob, carol)
  const seal = alice.votes(round, '8')
  carol.votes(round, '5')
  bob.hears(alice, carol)
  const { asker } = bob.depositor.askForRelease(round)
  const name = escrowName(memberKeys, round)
  const [real] = keyOf(alice, round)
  const wrong = (at: number) => ({ seal: escrowName(memberKeys, seal), key: bytesOf(at) })
  const { escrow } = escrowOf(carol)
  carol.hears(bob)
  const before = recordsOf(carol.doc).size
  const says = (keys: readonly ReleasedKey[], by = asker) =>
    escrow.released(encodeReleased({ round: name, asker: by, salt: bytesOf(0, 16), keys }))
  says([])
  says([wrong(1)])
  if (real) says([real], { ...asker, signature: bytesOf(2, 64) })
  if (real) says([real], { ...asker, membership: bytesOf(2, 64) })
  expect(escrow.holds).toBe(false)
  vi.advanceTimersByTime(10_000)
  expect(recordsOf(carol.doc).size).toBe(before)
  expect(carol.sees(round)).toEqual({ alice: 'voted', carol: 'voted' })
  for (let at = 0; at < 50 && real; at++) says([real, { seal: bytesOf(at, 16), key: bytesOf(at) }])
  vi.advanceTimersByTime(10_000)
  expect(carol.sees(round)).toMatchObject({ alice: 'counted 8' })
  expect(recordsOf(carol.doc).size).toBe(before + 2) // one release, and the card it opens
})

test('keys that come before the seal they open count once it is here', () => {
  vi.useFakeTimers()
  const [alice, bob, carol] = people()
  const round = bob.starts()
  meet(alice, bob, carol)
  alice.votes(round, '8')
  bob.hears(alice)
  const { asker } = bob.depositor.askForRelease(round)
  const { escrow } = escrowOf(carol)
  const keys = keyOf(alice, round)
  escrow.released(encodeReleased({ round: escrowName(memberKeys, round), asker, salt: bytesOf(0, 16), keys }))
  vi.advanceTimersByTime(10_000)
  carol.hears(alice)
  escrow.consider()
  vi.advanceTimersByTime(10_000)
  const newcomer = new Device('dave')
  newcomer.hears(carol)
  expect(newcomer.sees(round)).toEqual({ alice: 'counted 8' })
})
