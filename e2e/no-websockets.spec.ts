import { votesStored } from './inspect.ts'
import { expect, test } from './people.ts'
import type { Person } from './person.ts'

// These bring networks of their own.
test.use({ withoutSockets: false })

const slowly = 'Connected the slow way: this network blocks WebSockets.'

async function seesItIsSlow(person: Person): Promise<void> {
  await person.status.click()
  await person.sees(slowly)
  await person.page.keyboard.press('Escape')
}

test('where a proxy refuses WebSockets alice and bob vote, reveal and settle all the same', async ({
  network,
  relay,
  alice,
  bob,
}) => {
  const proxy = await network.blockSockets(relay)
  await bob.joins(await alice.startsAndInvites(relay.url), '3')
  await alice.votes('8')
  await expect(alice.seatOf(bob)).toContainText('has voted')
  await seesItIsSlow(alice)
  await seesItIsSlow(bob)
  await alice.reveals()
  for (const person of [alice, bob]) {
    await expect(person.seatOf(alice)).toContainText('voted 8')
    await expect(person.seatOf(bob)).toContainText('voted 3')
  }
  await bob.settles('8')
  for (const person of [alice, bob]) await person.sees(/Settled by/)
  await bob.page.close()
  await expect(alice.seatOf(bob)).toContainText('away')
  expect(proxy.sockets).toBeGreaterThan(0) // and every one was refused
  expect(proxy.posts).toBeGreaterThan(0)
})

test('without WebSockets, too, what is done on both sides of a cut is merged, and no byte passes meanwhile', async ({
  network,
  relay,
  alice,
  bob,
}) => {
  await network.blockSockets(relay)
  const cable = await network.layCable(relay)
  await bob.joins(await alice.startsAndInvites(cable.url), '3')
  await expect(alice.seatOf(bob)).toContainText('has voted')
  cable.cut()
  await expect(alice.status).toContainText('Offline')
  await expect(bob.status).toContainText('Offline')
  const before = cable.passed
  await alice.votes('8')
  await bob.votes('5')
  await alice.addsStory('Made by alice in a tunnel')
  await expect(alice.status).toContainText(/\d+ changes? waits?/)
  expect(cable.passed).toBe(before)
  cable.mend()
  await expect(alice.status).toContainText('Saved at the relay', { timeout: 35_000 })
  await expect(bob.page.getByRole('textbox', { name: 'Title of the story' })).toHaveCount(1, {
    timeout: 35_000,
  })
  await expect.poll(() => votesStored(alice), { timeout: 35_000 }).toBe(3)
  await alice.reveals()
  for (const person of [alice, bob]) {
    await expect(person.seatOf(alice)).toContainText('voted 8')
    await expect(person.seatOf(bob)).toContainText('voted 5')
  }
})

// Seconds and attempts are counted, which slow lines make more of.
const calmly = test.extend({ rough: false })

calmly(
  'where WebSockets are left waiting for ever another way is found within seconds, and remembered',
  async ({ network, relay, alice }) => {
    const proxy = await network.blockSockets(relay, 'ignored')
    await alice.starts(relay.url)
    await alice.tellsName()
    await expect(alice.status).toContainText('Saved at the relay', { timeout: 20_000 })
    await seesItIsSlow(alice)
    const until = String(Date.now() + 86_400_000)
    const name = 'facedown.websockets-blocked-until /'
    await alice.page.evaluate(([name, day]) => localStorage.setItem(name, day), [name, until] as const)
    const address = alice.page.url()
    const tried = proxy.sockets
    await alice.page.goto('about:blank')
    await alice.page.goto(address)
    await expect(alice.status).toContainText('Saved at the relay', { timeout: 6_000 })
    await seesItIsSlow(alice)
    expect(proxy.sockets - tried).toBeLessThan(2)
  },
)

test('a relay that was away for a while is not taken for a network that blocks WebSockets', async ({
  relay,
  alice,
  rough,
}) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await expect(alice.status).toContainText('Saved at the relay')
  await relay.stop('SIGKILL')
  await expect(alice.status).toContainText('Offline')
  await alice.votes('8')
  await expect(alice.status).toContainText(/\d+ changes? waits?/)
  await relay.resume()
  await expect(alice.status).toContainText('Saved at the relay', { timeout: 35_000 })
  await expect(async () => {
    if ((await alice.status.getAttribute('aria-expanded')) === 'false') await alice.status.click()
    await expect(alice.page.getByText('The relay has everything.')).toBeVisible({ timeout: 1000 })
    await expect(alice.page.getByText(slowly)).toHaveCount(0, { timeout: 100 })
  }).toPass({ timeout: rough ? 60_000 : 15_000 })
})
