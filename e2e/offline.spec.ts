import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from './people.ts'

test('votes and stories made on both sides of a cut are merged, and no byte passes meanwhile', async ({
  cable,
  alice,
  bob,
}) => {
  await bob.joins(await alice.startsAndInvites(cable.url), '3')
  await expect(alice.seatOf(bob)).toContainText('has voted')
  await expect(alice.status).toContainText('Saved at the relay')

  cable.cut()
  await expect(alice.status).toContainText('Offline')
  await expect(bob.status).toContainText('Offline')
  const [before, { attempts }] = [cable.passed, cable]
  await alice.votes('8')
  await alice.addsStory('Made by alice in a tunnel')
  await bob.votes('5')
  await bob.addsStory('Made by bob on a train')
  await expect(alice.status).toContainText(/\d+ changes? waits?/)
  await expect(alice.seatOf(bob)).toContainText('has voted')
  await expect.poll(() => cable.attempts, { timeout: 35_000 }).toBeGreaterThan(attempts)
  expect(cable.passed).toBe(before)

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

test('whose vote meets a new deck is told why nothing is chosen, and chooses again', async ({
  cable,
  alice,
  bob,
}) => {
  await bob.opens(await alice.startsAndInvites(cable.url))
  await bob.tellsName()
  await expect(alice.seatOf(bob)).toBeVisible()
  await alice.keepsTheApp()
  cable.cut()
  await expect(bob.status).toContainText('Offline')
  await bob.votes('8')
  await alice.makesDeck('Fruit', ['🍒', '🍎'])
  cable.mend()
  const hint = 'The round was started anew with other cards while you chose 8. Choose again.'
  const told = bob.page.getByRole('alert').filter({ hasText: hint })
  await expect(told).toBeVisible({ timeout: 35_000 })
  await bob.votes('🍎')
  await expect(told).toBeHidden()
  await expect(alice.seatOf(bob)).toContainText('has voted')
})

// Rough lines break by themselves what is cut and mended here.
const calmly = test.extend({ rough: false, withoutSockets: false })

calmly(
  'who presses “Try now”, has a network again or looks at the page again does not wait for the next attempt',
  async ({ cable, alice }) => {
    await alice.starts(cable.url)
    await alice.keepsTheApp()
    const saved = alice.page.locator('header').getByRole('button', { name: 'Saved at the relay' })
    const isAway = async () => {
      await expect(saved).toBeVisible()
      // What is drawn by lot is how long to wait: for the next attempt, half an hour.
      await alice.page.evaluate(() => {
        const lot = Math.random
        Math.random = () => 2_000
        addEventListener('mended', () => Object.assign(Math, { random: lot }), { once: true })
      })
      cable.cut()
      await expect(alice.status).toContainText('Offline')
    }
    const mends = async () => {
      cable.mend()
      await wait(5_000)
      await expect(alice.status).toContainText('Offline')
      await alice.page.evaluate(() => dispatchEvent(new Event('mended')))
    }

    await isAway()
    await alice.status.click()
    const tryNow = alice.page.getByRole('button', { name: 'Try now' })
    await mends()
    await tryNow.press('Enter')
    await expect(saved).toBeVisible()
    await expect(tryNow).toBeHidden()
    await expect(alice.page.getByRole('heading', { name: 'Where your changes are' })).toBeFocused()
    await alice.page.keyboard.press('Escape')

    await isAway()
    await alice.status.click()
    await tryNow.click()
    await expect(alice.page.getByRole('button', { name: 'Connecting …' })).toBeFocused()
    await expect(tryNow).toBeFocused()
    await alice.page.keyboard.press('Escape')
    await alice.context.setOffline(true)
    await mends()
    await alice.context.setOffline(false)
    await expect(saved).toBeVisible()

    await isAway()
    await mends()
    await alice.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
    await expect(saved).toBeVisible()
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
