import { expect, test } from './people.ts'

test('sessions of this device are listed, opened again, removed and brought back', async ({
  relay,
  alice,
}) => {
  await alice.starts(relay.url)
  await alice.page.getByLabel('Your name').fill('alice')
  await alice.votes('5')
  const name = alice.page.getByRole('textbox', { name: 'Name of the session' })
  await name.fill('Sprint 48')
  await name.press('Enter')
  await expect(alice.status).toContainText('Saved at the relay')
  await alice.page.getByRole('link', { name: /All sessions/ }).click()

  await alice.page.getByRole('link', { name: /Sprint 48/ }).click()
  await expect(alice.card('5')).toHaveAttribute('aria-pressed', 'true')
  await alice.page.getByRole('link', { name: /All sessions/ }).click()

  const removes = async () => {
    await alice.page.getByRole('button', { name: 'More for Sprint 48' }).click()
    await alice.page.getByRole('button', { name: 'Remove from this device' }).click()
  }
  await removes()
  await expect(alice.page.getByRole('link', { name: /Sprint 48/ })).toHaveCount(0)
  await alice.page.getByRole('button', { name: 'Undo' }).click()
  await expect(alice.page.getByRole('link', { name: /Sprint 48/ })).toBeVisible()

  await removes()
  await alice.page.reload()
  await expect(alice.page.getByRole('button', { name: 'Start a session' })).toBeVisible()
  await expect(alice.page.getByRole('link', { name: /Sprint 48/ })).toHaveCount(0)
  await expect.poll(() => alice.page.evaluate(async () => (await indexedDB.databases()).length)).toBe(0)
})
