import type { Page } from '@playwright/test'
import { Deployed } from './deployed.ts'
import { expect, test as people } from './people.ts'
import type { Person } from './person.ts'

const test = people.extend<{ deployed: Deployed }>({
  deployed: async ({ network }, use) => {
    const deployed = await Deployed.start()
    await network.add(deployed.relay, () => deployed.remove())
    await use(deployed)
  },
})

/** As at a second visit: the page and its files came from the device. */
async function comesBack(person: Person): Promise<void> {
  await person.keepsTheApp()
  await person.page.reload()
}

/** What the page does by itself once in a while. */
async function looksForAnUpdate(page: Page): Promise<void> {
  const look = () => page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update())
  await expect(look).toPass() // the line may break, and then it does so again later
}

/** A mark that no reload survives. */
const mark = (page: Page) => page.evaluate(() => void Object.assign(window, { sameVisit: true }))
const isMarked = (page: Page) => page.evaluate(() => 'sameVisit' in window)
const prompt = (page: Page) =>
  page.getByRole('status').filter({ hasText: 'A new version of Facedown is ready.' })

test('a new version asks alice, and nothing she has half done is lost before she agrees', async ({
  deployed,
  alice,
}) => {
  const { page } = alice
  await alice.starts(deployed.relay.url)
  await alice.tellsName()
  await comesBack(alice)
  await alice.votes('5')
  const story = page.getByRole('textbox', { name: 'Add stories' })
  await story.fill('Search by d')
  await page.getByRole('button', { name: 'Change your name: alice' }).click()
  const name = page.getByRole('textbox', { name: 'Your name' })
  await name.fill('ali')
  await mark(page)

  await deployed.release('second')
  await looksForAnUpdate(page)
  await expect(prompt(page)).toBeVisible()
  expect(await isMarked(page)).toBe(true)
  await expect(name).toHaveValue('ali')
  await expect(story).toHaveValue('Search by d')
  await expect(alice.card('5')).toHaveAttribute('aria-pressed', 'true')
  // Parts that were not opened yet are still those of the old version, which the relay no longer has.
  await page.getByRole('button', { name: 'Settings' }).click()
  await expect(page.getByRole('group', { name: 'Appearance' })).toBeVisible()
  await expect(page.locator('html')).not.toHaveAttribute('data-version')

  await prompt(page).getByRole('button', { name: 'Reload' }).click()
  await expect(page.locator('html')).toHaveAttribute('data-version', 'second')
  expect(await isMarked(page)).toBe(false)
  await expect(alice.card('5')).toHaveAttribute('aria-pressed', 'true')
  await expect(prompt(page)).toHaveCount(0)
})

test('what alice closes is asked again at her next visit, and the first visit asks nothing', async ({
  deployed,
  alice,
}) => {
  const { page } = alice
  await alice.starts(deployed.relay.url)
  await alice.keepsTheApp()
  await expect(prompt(page)).toHaveCount(0)
  await mark(page)
  await deployed.release('second')
  await looksForAnUpdate(page)
  await prompt(page).getByRole('button', { name: 'Close' }).click()
  await expect(prompt(page)).toHaveCount(0)
  expect(await isMarked(page)).toBe(true)
  await page.reload()
  await expect(prompt(page)).toBeVisible()
  await expect(page.locator('html')).not.toHaveAttribute('data-version')
  await prompt(page).getByRole('button', { name: 'Reload' }).click()
  await expect(page.locator('html')).toHaveAttribute('data-version', 'second')
  await expect(prompt(page)).toHaveCount(0)
})

test('agreeing in one window reloads no other, which works on and asks for itself', async ({
  deployed,
  alice,
}) => {
  await alice.starts(deployed.relay.url)
  await comesBack(alice)
  const other = await alice.context.newPage()
  await other.goto(alice.page.url())
  const name = other.getByRole('textbox', { name: 'Your name' })
  await name.fill('ali')
  await mark(other)
  await deployed.release('second')
  await looksForAnUpdate(alice.page)
  await expect(prompt(other)).toBeVisible()
  await prompt(alice.page).getByRole('button', { name: 'Reload' }).click()
  await expect(alice.page.locator('html')).toHaveAttribute('data-version', 'second')
  await other.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated')

  expect(await isMarked(other)).toBe(true)
  await expect(name).toHaveValue('ali')
  await other.getByRole('button', { name: 'Settings' }).click()
  await expect(other.getByRole('group', { name: 'Appearance' })).toBeVisible()
  await prompt(other).getByRole('button', { name: 'Reload' }).click()
  await expect(other.locator('html')).toHaveAttribute('data-version', 'second')
  await expect(prompt(other)).toHaveCount(0)
})
