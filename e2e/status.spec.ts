import { violationsOf } from './axe.ts'
import { expect, test } from './people.ts'

test('whoever runs the relay sees on a phone that alice and bob are there', async ({
  relay,
  alice,
  bob,
  newcomer,
}) => {
  await alice.starts(relay.url)
  await alice.page.getByLabel('Your name').fill('alice')
  await bob.joins(await alice.invitation(), '3')
  await alice.votes('5')
  await expect(alice.status).toContainText('Saved at the relay')

  const operator = await newcomer('operator', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' })
  await operator.page.goto(new URL('status', relay.url).href)
  await expect(operator.page).toHaveURL(/\/status\/$/)
  await expect(operator.page.getByRole('status')).toHaveText('Works')
  const people = operator.page.getByRole('figure', { name: 'People' })
  // A new sample comes every ten seconds, and the page asks as often.
  await expect(people).toContainText(/connections [1-9]\d* · sessions 1/, { timeout: 40_000 })
  for (const title of ['Changes', 'Saved within', 'Load', 'Database', 'Room on the disk', 'Refusals']) {
    const figure = operator.page.getByRole('figure', { name: title })
    await expect(figure.locator('canvas')).toBeVisible()
    await expect(figure.locator('.now')).toHaveText(/\d/)
  }
  const stores = operator.page.getByRole('region', { name: 'Stores and regions' })
  await expect(stores).toContainText('This one process is relay and store')
  await expect(stores.getByRole('figure')).toHaveCount(0)
  const width = await operator.page.evaluate(() => document.documentElement.scrollWidth)
  expect(width).toBeLessThanOrEqual(360)
  for (const colorScheme of ['dark', 'light'] as const) {
    await operator.page.emulateMedia({ colorScheme })
    expect(await violationsOf(operator.page, 'body'), colorScheme).toEqual([])
  }
})

test('the status page says when the relay is gone, and goes on when it is back', async ({
  relay,
  newcomer,
}) => {
  const operator = await newcomer('operator')
  operator.expects(/Failed to load resource/)
  await operator.page.goto(new URL('status/', relay.url).href)
  await expect(operator.page.getByRole('status')).toHaveText('Works')
  await relay.stop()
  await expect(operator.page.getByRole('status')).toHaveText(/^No answer since/, { timeout: 40_000 })
  await relay.resume()
  await expect(operator.page.getByRole('status')).toHaveText('Works', { timeout: 40_000 })
})
