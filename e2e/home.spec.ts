import { setTimeout as wait } from 'node:timers/promises'
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
  await alice.goesHome()

  await alice.page.getByRole('link', { name: /Sprint 48/ }).click()
  await expect(alice.card('5')).toHaveAttribute('aria-pressed', 'true')
  await alice.goesHome()

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

test('from session to home and back nothing is loaded again, so that no network can cut it short', async ({
  cable,
  alice,
}) => {
  await alice.starts(cable.url)
  await alice.tellsName()
  await alice.votes('5')
  const name = alice.page.getByRole('textbox', { name: 'Name of the session' })
  await name.fill('Sprint 48')
  await name.press('Enter')
  await expect(alice.status).toContainText('Saved at the relay')
  await alice.keepsTheApp()
  let loaded = 0
  alice.page.on('domcontentloaded', () => loaded++)
  cable.cut()
  await alice.goesHome()
  const row = alice.page.getByRole('link', { name: /Sprint 48/ })
  const [elsewhere] = await Promise.all([
    alice.context.waitForEvent('page'),
    row.click({ modifiers: ['Control'] }),
  ])
  await elsewhere.close()
  // Who thinks better of it at once stays where they are.
  await row.evaluate((link) => {
    link.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }))
    setTimeout(() => history.back())
  })
  await expect(alice.page).toHaveURL(cable.url)
  await expect(alice.card('5').or(row)).toBeVisible()
  await wait(1_000)
  await expect(row).toBeVisible()

  await row.click()
  await expect(alice.card('5')).toHaveAttribute('aria-pressed', 'true')
  await expect(alice.page).toHaveTitle(/Sprint 48/)
  await alice.page.goBack()
  await expect(row).toBeVisible()
  await alice.page.goForward()
  await expect(alice.card('5')).toBeVisible()
  cable.mend()
  await expect(alice.status).toContainText('Saved at the relay', { timeout: 35_000 })
  await alice.reveals()
  await expect(alice.seatOf(alice)).toContainText('voted 5')
  expect(loaded).toBe(0)
})

test('the way to the home page says nothing of a session that is opened', async ({ relay, alice }) => {
  await alice.page.addInitScript(() => {
    const page = window as unknown as { said: string[] }
    page.said = []
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes)
        for (const node of addedNodes) page.said.push(node.textContent ?? '')
    }).observe(document, { childList: true, subtree: true })
  })
  const said = () => alice.page.evaluate(() => (window as unknown as { said: string[] }).said.join('\n'))
  await alice.page.goto(relay.url)
  await expect(alice.page.getByRole('button', { name: 'Start a session' })).toBeVisible()
  expect(await said()).toContain('Start a session')
  expect(await said()).not.toContain('Opening the session')
  await alice.starts(relay.url)
  await alice.page.reload()
  await expect(alice.card('5')).toBeVisible()
  expect(await said()).toContain('Opening the session')
})
