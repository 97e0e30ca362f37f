import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Cluster } from './cluster/cluster.ts'
import { test as base, expect } from './people.ts'

const test = base.extend<{ cluster: Cluster }>({
  cluster: async ({ network }, use) => {
    const cluster = await Cluster.start()
    for (const region of Object.values(cluster.regions)) await network.addRegion(region)
    await use(cluster)
    await cluster.stop()
  },
})

test.use({ withoutSockets: false })

/** How long the link stays cut, beyond what people do meanwhile. */
const cutSeconds = Number(process.env.CUT_SECONDS ?? 0)

test('alice in the east and bob in the west estimate together, and it is saved in two regions', async ({
  cluster,
  alice,
  bob,
}) => {
  const { east, west } = cluster.regions
  await bob.joins((await alice.startsAndInvites(east.url)).replace(east.url, west.url), '8')
  await alice.votes('5')
  await expect(bob.seatOf(alice)).toContainText('has voted')
  await bob.reveals()
  for (const person of [alice, bob]) {
    await expect(person.seatOf(alice)).toContainText('voted 5')
    await expect(person.seatOf(bob)).toContainText('voted 8')
    await person.status.click()
    await person.sees('Everything is saved in two regions.')
  }
})

test('both halves vote, reveal and settle the same story while the link is cut; afterwards all see the same, and the conflict', async ({
  cluster,
  alice,
  bob,
  carol,
}) => {
  const { east, west } = cluster.regions
  await alice.starts(east.url)
  await alice.tellsName()
  await alice.addsStory('A story')
  await alice.laysOut('A story')
  const link = (await alice.invitation()).replace(east.url, west.url)
  await bob.joins(link, '8')
  await alice.votes('5')
  await expect(bob.seatOf(alice)).toContainText('has voted')
  if (cutSeconds > 0) test.setTimeout(120_000 + cutSeconds * 1000)
  const { attempts, passed } = cluster.link
  expect(passed).toBeGreaterThan(0)
  cluster.link.cut()
  const cutAt = Date.now()
  await expect(alice.seatOf(bob)).toContainText('away', { timeout: 20_000 })
  await carol.joins(link, '3')
  await expect(bob.seatOf(carol)).toContainText('has voted')
  await alice.reveals()
  await alice.settles('5')
  await bob.reveals()
  await bob.settles('8')
  for (const person of [alice, bob]) await expect(person.status).toContainText('Saved at the relay')
  await expect
    .poll(() => Date.now() - cutAt, { timeout: (cutSeconds + 10) * 1000 })
    .toBeGreaterThanOrEqual(cutSeconds * 1000)
  expect(cluster.link.attempts).toBeGreaterThan(attempts)
  const duringCut = cluster.link.passed
  const healed = Date.now()
  cluster.link.mend()
  for (const person of [alice, bob, carol]) {
    await expect(person.seatOf(alice)).toContainText('voted 5', { timeout: 15_000 })
    await expect(person.seatOf(bob)).toContainText('voted 8')
    await expect(person.seatOf(carol)).toContainText('voted 3')
  }
  for (const person of [alice, bob, carol]) {
    await expect(person.page.getByText('alice settled at 5')).toBeVisible()
    await expect(person.page.getByText('bob settled at 8')).toBeVisible()
  }
  const equal = Date.now() - healed
  console.log(
    `All saw the same ${equal} ms after the link was back, which was cut for ${Math.round((healed - cutAt) / 1000)} s`,
  )
  expect(equal).toBeLessThan(10_000)
  // Nothing went around it: what was on the way when it was cut, and then everything that was missed.
  expect(duringCut - passed).toBeLessThan(4096)
  expect(cluster.link.passed).toBeGreaterThan(duringCut)
})

test('carol’s region loses its relays: she goes on in the other one', async ({ cluster, alice, carol }) => {
  const { east, west } = cluster.regions
  const opened: string[] = []
  carol.page.on('websocket', (socket) => opened.push(new URL(socket.url()).host))
  await carol.opens((await alice.startsAndInvites(east.url)).replace(east.url, west.url))
  await carol.tellsName()
  await expect(alice.seatOf(carol)).toBeVisible()
  await expect
    .poll(() => carol.page.evaluate(() => localStorage.getItem('facedown.regions /')), { timeout: 20_000 })
    .toContain(east.url)
  carol.expects(/status of 503/)
  await Promise.all(west.relays.map((relay) => relay.stop('SIGKILL')))
  await carol.votes('3')
  await expect(alice.seatOf(carol)).toContainText('has voted', { timeout: 30_000 })
  await alice.votes('5')
  await alice.reveals()
  await expect(carol.seatOf(alice)).toContainText('voted 5')
  expect(opened[0]).toBe(new URL(west.url).host)
  expect(opened.at(-1)).toBe(new URL(east.url).host)
})

test('the NATS of a region is killed, and the disks of its stores are emptied: nothing that was saved is lost', async ({
  cluster,
  alice,
  bob,
  carol,
}) => {
  const { east, west } = cluster.regions
  const link = (await alice.startsAndInvites(east.url)).replace(east.url, west.url)
  await bob.joins(link, '8')
  await alice.votes('5')
  await expect(bob.seatOf(alice)).toContainText('has voted')
  await alice.status.click()
  await alice.sees('Everything is saved in two regions.')
  await alice.page.keyboard.press('Escape')
  const before = east.nats.pid
  await east.nats.end('SIGKILL')
  await Promise.all(east.stores.map((store) => store.stop('SIGKILL')))
  for (const store of east.stores) rmSync(join(store.dataDir), { recursive: true }) // and whatever else was on it
  expect(east.stores.filter((store) => existsSync(store.dataDir))).toEqual([])
  await east.nats.restart()
  await Promise.all(east.stores.map((store) => store.resume()))
  expect(east.nats.pid).not.toBe(before)
  await expect(alice.status).toContainText('Saved at the relay', { timeout: 30_000 })
  // Those who know it all leave; what is left is what the east has filled itself with.
  await alice.context.close()
  await bob.context.close()
  await carol.joins(link.replace(west.url, east.url), '3')
  await expect(carol.seatOf(alice)).toContainText('has voted')
  await expect(carol.seatOf(bob)).toContainText('has voted')
})
