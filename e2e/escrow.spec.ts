import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { devices } from '@playwright/test'
import { Depositor } from '../shared/depositor.ts'
import { addRecord, recordsOf } from '../shared/document.ts'
import { decodeReleased, type Released } from '../shared/escrow.ts'
import { keysFor } from '../shared/keys.ts'
import { Ledger } from '../shared/ledger.ts'
import { Participant } from '../shared/participant.ts'
import { recordIdOf } from '../shared/record.ts'
import { decodeFromClient, decodeFromRelay } from '../shared/wire.ts'
import {
  framesOf,
  keysFromLink,
  keysThatOpen,
  recordsIn,
  updatesReceived,
  updatesStored,
  votesStored,
} from './inspect.ts'
import { expect, test } from './people.ts'
import type { Person } from './person.ts'
import { Device, until } from './simulation/device.ts'

// Keeping the app on the device takes a third of the work of a visit, and is not what is looked at here.
test.use({ serviceWorkers: 'block' })

const safe = 'Opens even if you leave'

/** What a store released, as it reached a person. */
function releasedTo(person: Person): Released[] {
  return framesOf(person.received, decodeFromRelay, 'released').flatMap(
    ({ body }) => decodeReleased(body) ?? [],
  )
}

test('alice votes on her phone and closes it; bob reveals, and carol, who comes later, sees her card counted', async ({
  relay,
  newcomer,
  bob,
  carol,
}) => {
  const link = await bob.startsAndInvites(relay.url)
  const alice = await newcomer('alice', { ...devices['Pixel 7'] })
  await alice.joins(link, '8')
  await alice.sees(safe)
  await expect(bob.seatOf(alice)).toContainText('has voted')
  await alice.context.close()
  await bob.votes('5')
  await bob.reveals()
  await expect(bob.seatOf(alice)).toContainText('voted 8')
  await bob.sees('Median')
  await carol.opens(link)
  await expect(carol.seatOf(alice)).toContainText('voted 8')
  await expect(carol.seatOf(bob)).toContainText('voted 5')
})

test('with escrow switched off the card of somebody who left waits until they are back', async ({
  relay,
  alice,
  bob,
}) => {
  await bob.starts(relay.url)
  await bob.tellsName()
  await bob.opensMenu('Who decides')
  await bob.page.getByRole('checkbox', { name: /Open the cards of those who left/ }).uncheck()
  await bob.page.keyboard.press('Escape')
  const link = await bob.invitation()
  await alice.joins(link, '8')
  await alice.sees('Opens while you are here')
  await expect(alice.status).toContainText('Saved at the relay')
  await expect(bob.seatOf(alice)).toContainText('has voted')
  await alice.page.goto('about:blank')
  await bob.votes('5')
  await bob.reveals()
  await bob.sees('alice’s card opens when alice is back.')
  expect(releasedTo(bob)).toEqual([])
  await alice.opens(link)
  await expect(bob.seatOf(alice)).toContainText('voted 8')
  expect(framesOf(alice.sent, decodeFromClient, 'deposit')).toEqual([])
})

test('bob reveals while he is cut off from the store; when he is back the card of alice, who left, opens', async ({
  relay,
  cable,
  alice,
  bob,
}) => {
  const link = await alice.startsAndInvites(relay.url)
  await bob.joins(link.replace(relay.url, cable.url), '5')
  await alice.votes('8')
  await alice.sees(safe)
  await expect(bob.seatOf(alice)).toContainText('has voted')
  cable.cut()
  await expect(bob.status).toContainText('Offline')
  await alice.context.close()
  await bob.reveals()
  await bob.sees('alice’s card opens when alice is back.')
  cable.mend()
  await expect(bob.seatOf(alice)).toContainText('voted 8', { timeout: 35_000 })
})

test('of somebody who voted again only the last card is opened, and no key of the others is given out', async ({
  relay,
  alice,
  bob,
}) => {
  await alice.joins(await bob.startsAndInvites(relay.url), '1')
  await alice.sees(safe)
  for (const card of ['13', '3']) {
    await alice.votes(card)
    await alice.sees(safe)
  }
  // Once the new vote is saved the store is told to forget the keys of those before.
  const forgotten = () => framesOf(alice.sent, decodeFromClient, 'deposit').at(-1)?.replaces.length
  await expect.poll(forgotten).toBe(2)
  await expect(alice.status).toContainText('Saved at the relay')
  await expect.poll(() => votesStored(bob)).toBe(3)
  await alice.context.close()
  await bob.reveals()
  await expect(bob.seatOf(alice)).toContainText('voted 3')
  expect(releasedTo(bob).map(({ keys }) => keys.length)).toEqual([1])
})

test('who has the keys released without a reveal opens the round for everybody and is named', async ({
  relay,
  alice,
  bob,
}) => {
  const link = await alice.startsAndInvites(relay.url)
  await bob.joins(link, '5')
  await alice.votes('8')
  for (const person of [alice, bob]) await person.sees(safe)

  const keys = keysFor('member', keysFromLink(link))
  const device = new Device(relay.direct, keys)
  const ledger = new Ledger(keys)
  const seed = new Uint8Array(32).fill(77)
  const mallory = new Participant(keys, seed, ledger)
  device.connect()
  await until(
    () => device.caughtUp && recordsOf(device.doc).size > 3,
    () => 'Mallory did not get the session',
  )
  for (const [id, bytes] of recordsOf(device.doc).entries()) ledger.add(id, bytes as Uint8Array)
  const profile = mallory.introduce('Mallory')
  addRecord(device.doc, profile)
  ledger.add(recordIdOf(profile), profile)
  const round = ledger.current('quick')
  if (!round) throw new Error('There was a round')
  const { round: name, asker } = new Depositor(keys, seed, ledger, mallory).askForRelease(round.id)
  device.link.askForRelease(name, asker)

  for (const person of [alice, bob]) {
    await person.sees(/Mallory had the sealed cards opened without a reveal/)
    await expect(person.seatOf(alice)).toContainText('voted 8')
    await expect(person.seatOf(bob)).toContainText('voted 5')
  }
  device.stop()
})

test('before a release neither what a member has nor what the relay has opens a box', async ({
  relay,
  alice,
  bob,
}) => {
  const link = await alice.startsAndInvites(relay.url)
  await bob.joins(link, '1')
  await alice.votes('21')
  await alice.sees(safe)
  await expect(bob.seatOf(alice)).toContainText('has voted')
  await expect(bob.status).toContainText('Saved at the relay')

  const keys = keysFromLink(link)
  const updates = [...updatesReceived(bob, keys), ...(await updatesStored(bob))]
  const seals = recordsIn(updates).flatMap((record) => (record.kind === 'seal' ? record : []))
  expect(seals.length).toBeGreaterThanOrEqual(2)
  const [deposit] = framesOf(alice.sent, decodeFromClient, 'deposit')
  if (!deposit) throw new Error('alice deposited nothing')
  const ofAlice = seals.filter((seal) => keysThatOpen(keys.session, seal, [Buffer.from(deposit.key)]) > 0)
  expect(ofAlice).toHaveLength(1) // so what is searched for below is what would be found

  // A member: every 32 bytes bob ever received, decrypted or not, and all that his browser stored.
  const withMember = [...bob.received, ...updates.map((update) => Buffer.from(update))]
  expect(keysThatOpen(keys.session, ofAlice[0], withMember)).toBe(0)

  // The relay's operator has the key, and nothing it opens: not in the database, nor in any frame that passed.
  await relay.stop()
  const files = readdirSync(relay.dataDir).map((file) => readFileSync(join(relay.dataDir, file)))
  const withOperator = [...files, ...alice.sent, ...bob.sent, ...alice.received, ...bob.received]
  const holds = (bytes: Buffer, part: Uint8Array | undefined) => bytes.includes(Buffer.from(part ?? []))
  expect(files.some((file) => holds(file, deposit.key))).toBe(true)
  for (const part of [ofAlice[0]?.box, ofAlice[0]?.commitment]) {
    expect(part?.length).toBeGreaterThan(0)
    expect(withOperator.some((bytes) => holds(bytes, part))).toBe(false)
  }
})

test('a deposit has the same length whichever card it is for', async ({ relay, alice, bob, carol }) => {
  const link = await alice.startsAndInvites(relay.url)
  await bob.joins(link, '0')
  await carol.joins(link, '☕ (Break)')
  await alice.votes('21')
  const people = [alice, bob, carol]
  for (const person of people) await person.sees(safe)
  const lengths = people.map(
    ({ sent }) => sent.find((frame) => framesOf([frame], decodeFromClient, 'deposit').length > 0)?.length,
  )
  expect(lengths[0]).toBeGreaterThan(0)
  expect(new Set(lengths).size).toBe(1)
})
