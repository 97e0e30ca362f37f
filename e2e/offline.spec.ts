import { expect, test } from './people.ts'

test('votes and stories made on both sides of a cut are merged, and no byte passes meanwhile', async ({
  cable,
  alice,
  bob,
}) => {
  await alice.starts(cable.url)
  await alice.tellsName()
  await bob.joins(await alice.invitation(), '3')
  await expect(alice.seatOf(bob)).toContainText('has voted')
  await expect(alice.status).toContainText('Saved at the relay')

  cable.cut()
  await expect(alice.status).toContainText('Offline')
  await expect(bob.status).toContainText('Offline')
  const before = cable.passed
  await alice.votes('8')
  await alice.addsStory('Made by alice in a tunnel')
  await bob.votes('5')
  await bob.addsStory('Made by bob on a train')
  await expect(alice.status).toContainText(/\d+ changes? waits?/)
  await expect(alice.seatOf(bob)).toContainText('has voted')
  expect(cable.passed).toBe(before)
  expect(cable.attempts).toBeGreaterThan(2)

  cable.mend()
  await expect(alice.status).toContainText('Saved at the relay', { timeout: 35_000 })
  await expect(bob.status).toContainText('Saved at the relay', { timeout: 35_000 })
  for (const person of [alice, bob]) {
    const titles = person.page.getByRole('textbox', { name: 'Title of the story' })
    await expect(titles).toHaveCount(2)
  }
  await alice.reveals()
  for (const person of [alice, bob]) {
    await expect(person.seatOf(alice)).toContainText('voted 8')
    await expect(person.seatOf(bob)).toContainText('voted 5')
  }
  expect(cable.passed).toBeGreaterThan(before)
})

// Attempts and seconds are counted, which rough lines and polling make more of.
const calmly = test.extend({ rough: false, withoutSockets: false })

calmly(
  'who presses “Try now”, has a network again or looks at the page again does not wait for the next attempt',
  async ({ cable, alice }) => {
    // Waits between attempts are as long as they can be: 1 s, 2 s, 4 s, 8 s, and the provider's own.
    await alice.page.addInitScript(() => {
      Math.random = () => 0.999
    })
    await alice.starts(cable.url)
    await alice.keepsTheApp()
    let attempts = 0
    alice.page.on('websocket', () => attempts++)
    const untilPatient = () => {
      attempts = 0
      return expect.poll(() => attempts, { timeout: 40_000 }).toBeGreaterThanOrEqual(4)
    }
    const saved = alice.page.locator('header').getByRole('button', { name: 'Saved at the relay' })
    const isBack = () => expect(saved).toBeVisible({ timeout: 6_000 })

    cable.cut()
    await expect(alice.status).toContainText('Offline')
    await alice.status.click()
    const tryNow = alice.page.getByRole('button', { name: 'Try now' })
    await tryNow.click()
    await expect(alice.page.getByRole('button', { name: 'Connecting …' })).toBeFocused()
    await expect(tryNow).toBeFocused()
    await untilPatient()
    cable.mend()
    await tryNow.click()
    await isBack()
    await expect(tryNow).toBeHidden()
    await expect(alice.page.getByRole('heading', { name: 'Where your changes are' })).toBeFocused()
    await alice.page.keyboard.press('Escape')

    cable.cut()
    await untilPatient()
    await alice.context.setOffline(true)
    cable.mend()
    await alice.context.setOffline(false)
    await isBack()

    cable.cut()
    await untilPatient()
    cable.mend()
    await alice.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
    await isBack()
  },
)

test('after one visit the app opens with the relay stopped, and what is done then is merged on return', async ({
  relay,
  alice,
  bob,
}) => {
  await alice.starts(relay.url)
  await alice.page.getByLabel('Your name').fill('alice')
  await alice.votes('3')
  const link = await alice.invitation()
  await expect(alice.status).toContainText('Saved at the relay')
  await alice.keepsTheApp()
  const address = alice.page.url()

  await relay.stop()
  await alice.page.close()
  const offline = await alice.context.newPage()
  await offline.goto(address)
  await expect(offline.getByRole('button', { name: 'Card 3', exact: true })).toHaveAttribute(
    'aria-pressed',
    'true',
  )
  await offline.getByRole('button', { name: 'Card 8', exact: true }).click()
  await offline.getByRole('textbox', { name: 'Add stories' }).fill('Written with no relay')
  await offline.getByRole('button', { name: 'Add', exact: true }).click()
  await expect(offline.locator('header').first()).toContainText(/changes? waits?/)

  await offline.close()
  const again = await alice.context.newPage()
  await again.goto(address)
  await expect(again.getByRole('button', { name: 'Card 8', exact: true })).toHaveAttribute(
    'aria-pressed',
    'true',
  )
  await expect(again.getByRole('textbox', { name: 'Title of the story' })).toHaveValue(
    'Written with no relay',
  )
  await expect(again.locator('header').first()).toContainText(/changes? waits?/)

  await relay.resume()
  await expect(again.locator('header').first()).toContainText('Saved at the relay', { timeout: 35_000 })
  await bob.joins(link, '5')
  await expect(bob.page.getByRole('textbox', { name: 'Title of the story' })).toHaveValue(
    'Written with no relay',
  )
  await bob.reveals()
  await expect(bob.seatOf(alice)).toContainText('voted 8')
})

test('a session is made with no network at all', async ({ relay, alice, bob }) => {
  await alice.page.goto(relay.url)
  await expect(alice.page.getByRole('button', { name: 'Start a session' })).toBeVisible()
  await alice.keepsTheApp()
  await relay.stop()
  await alice.page.reload()
  await alice.page.getByRole('button', { name: 'Start a session' }).click()
  await alice.page.getByLabel('Your name').fill('alice')
  await alice.votes('13')
  const link = await alice.invitation()
  await relay.resume()
  await expect(alice.status).toContainText('Saved at the relay', { timeout: 35_000 })
  await alice.page.close()
  await bob.joins(link, '5')
  await expect(bob.seatOf(alice)).toContainText('has voted')
})

test('a newcomer gets the whole session from the relay when nobody else is online', async ({
  relay,
  alice,
  bob,
}) => {
  await alice.starts(relay.url)
  await alice.page.getByLabel('Your name').fill('alice')
  await alice.votes('5')
  await alice.addsStory('Kept by the relay')
  const link = await alice.invitation()
  await expect(alice.status).toContainText('Saved at the relay')
  await alice.page.close()
  await relay.stop('SIGKILL')
  await relay.resume()
  await bob.opens(link)
  await expect(bob.seatOf(alice)).toContainText('has voted')
  await expect(bob.page.getByRole('textbox', { name: 'Title of the story' })).toHaveValue('Kept by the relay')
})
