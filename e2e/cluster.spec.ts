import { RegionProcesses } from './cluster/region.ts'
import { test as base, expect } from './people.ts'

const test = base.extend<{ region: RegionProcesses }>({
  region: async ({ network }, use) => {
    const region = await RegionProcesses.start('east')
    await network.addRegion(region)
    await use(region)
    await region.stop()
  },
})

test.use({ withoutSockets: false })

test('alice and bob are at different relays and estimate together', async ({
  network,
  region,
  alice,
  bob,
}) => {
  const [first, second] = region.relays.map(({ url }) => url)
  await bob.joins((await alice.startsAndInvites(String(first))).replace(String(first), String(second)), '8')
  await alice.votes('5')
  await expect(bob.seatOf(alice)).toContainText('has voted')
  await bob.reveals()
  for (const person of [alice, bob]) {
    await expect(person.seatOf(alice)).toContainText('voted 5')
    await expect(person.seatOf(bob)).toContainText('voted 8')
    await expect(person.status).toContainText('Saved at the relay')
  }
  // What NATS keeps is looked through as well: there it names the session.
  const session = /\/s\/(\w+)/.exec(alice.page.url())?.[1] ?? 'none'
  expect(network.whereabouts([Buffer.from(session)])).toContain('1.blk')
})

test('relays are killed in mid-round, one after the other: people go on at the other, and no vote is lost', async ({
  region,
  alice,
  bob,
  carol,
}) => {
  let sockets = 0
  alice.page.on('websocket', () => sockets++)
  const link = await alice.startsAndInvites(region.url)
  await bob.joins(link, '8')
  await expect(alice.seatOf(bob)).toContainText('has voted')
  const [first, second] = region.relays
  await first?.stop('SIGKILL')
  await alice.votes('5')
  await expect(bob.seatOf(alice)).toContainText('has voted', { timeout: 20_000 })
  await first?.resume()
  await expect.poll(() => region.balancer.missed).toBe(0)
  await second?.stop('SIGKILL')
  await carol.joins(link, '3')
  await expect(alice.seatOf(carol)).toContainText('has voted', { timeout: 20_000 })
  await expect(alice.status).toContainText('Saved at the relay', { timeout: 20_000 })
  expect(sockets).toBeGreaterThan(1)
  await carol.reveals()
  for (const person of [alice, bob, carol]) {
    await expect(person.seatOf(alice)).toContainText('voted 5')
    await expect(person.seatOf(bob)).toContainText('voted 8')
    await expect(person.seatOf(carol)).toContainText('voted 3')
  }
})

test('a store is killed, then NATS: the table of one relay goes on, and afterwards a newcomer at the other gets everything', async ({
  region,
  alice,
  bob,
  carol,
}) => {
  const [first, second] = region.relays.map(({ url }) => url)
  const link = await alice.startsAndInvites(String(first))
  await bob.joins(link, '8')
  await expect(alice.seatOf(bob)).toContainText('has voted')
  await region.stores[0]?.stop('SIGKILL')
  await alice.addsStory('After a store was gone')
  await expect(alice.status).toContainText('Saved at the relay')

  await region.nats.end('SIGKILL')
  await alice.votes('5')
  await expect(bob.seatOf(alice)).toContainText('has voted', { timeout: 20_000 })
  await expect(alice.status).not.toContainText('Saved at the relay')
  await region.nats.restart()
  await expect(alice.status).toContainText('Saved at the relay', { timeout: 30_000 })
  await carol.joins(link.replace(String(first), String(second)), '3')
  await expect(carol.seatOf(alice)).toContainText('has voted')
  await carol.reveals()
  for (const person of [alice, bob, carol]) await expect(person.seatOf(alice)).toContainText('voted 5')
})
