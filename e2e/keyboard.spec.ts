import { languages } from '../client/locales/languages.ts'
import { expect, test } from './people.ts'

// Keeping the app on the device takes a third of the work of a visit, and is not what is looked at here.
test.use({ serviceWorkers: 'block' })

test('a whole session by keyboard alone: create, invite, vote, reveal, settle, import, export', async ({
  relay,
  alice,
  bob,
}) => {
  const { page } = alice
  const spoken = page.locator('[aria-live=polite]')
  /** Tab until the focus is on what is looked for: that it can be reached is the point. */
  const tabsTo = async (name: RegExp) => {
    for (let stop = 0; stop < 80; stop++) {
      await page.keyboard.press('Tab')
      const focused = await page.evaluate(() => {
        const element = document.activeElement
        const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : undefined
        return element?.getAttribute('aria-label') ?? label ?? element?.textContent?.trim() ?? ''
      })
      if (name.test(focused)) return
    }
    throw new Error(`The Tab key never came to ${name}`)
  }
  await page.goto(relay.url)
  await expect(page.getByRole('button', { name: 'Start a session' })).toBeVisible()
  await tabsTo(/^Start a session$/)
  await page.keyboard.press('Enter')
  await expect(alice.card('5')).toBeVisible()
  await tabsTo(/^Your name/)
  await page.keyboard.type('alice')
  await page.keyboard.press('Enter')

  await tabsTo(/^Add stories$/)
  await page.keyboard.type('Search by date')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('textbox', { name: 'Title of the story' })).toHaveValue('Search by date')
  await tabsTo(/^Vote: Search by date$/)
  await page.keyboard.press('Enter')

  await tabsTo(/^Invite$/)
  await page.keyboard.press('Enter')
  const link = await page.getByRole('textbox', { name: 'Link to take part' }).inputValue()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await bob.joins(link, '8')
  await expect(spoken.filter({ hasText: '1 of 2 have voted' })).toBeAttached()

  await page.keyboard.press('8')
  await expect(alice.card('8')).toHaveAttribute('aria-pressed', 'true')
  await expect(spoken.filter({ hasText: '2 of 2 have voted' })).toBeAttached()
  await page.keyboard.press('u')
  await expect(page.getByRole('button', { name: 'Not sure' })).toHaveAttribute('aria-pressed', 'true')
  await page.keyboard.press('r')
  await expect(spoken.filter({ hasText: 'Revealed: consensus on 8' })).toBeAttached()
  await tabsTo(/^Settle at 8$/)
  await page.keyboard.press('Enter')
  await expect(spoken.filter({ hasText: 'Settled at 8' })).toBeAttached()

  await tabsTo(/^More$/)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'Import …' }).first()).toBeVisible()
  await tabsTo(/^Import/)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog')).toBeVisible()
  const chooser = page.waitForEvent('filechooser')
  await tabsTo(/^Choose a file$/)
  await page.keyboard.press('Enter')
  await (await chooser).setFiles({
    name: 'a.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from('Title\nFrom a file\n'),
  })
  await tabsTo(/^Import 1 story$/)
  await page.keyboard.press('Enter')
  await tabsTo(/^Done$/)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog')).toHaveCount(0)

  await tabsTo(/^More$/)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'Export …' }).first()).toBeVisible()
  await tabsTo(/^Export/)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog')).toBeVisible()
  const download = page.waitForEvent('download')
  await tabsTo(/^CSV$/)
  await page.keyboard.press('Enter')
  expect((await download).suggestedFilename()).toMatch(/\.csv$/)
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await expect(page.getByRole('button', { name: 'More', exact: true })).toBeFocused()
  await page.keyboard.press('n')
  await expect(page.getByRole('heading', { level: 2 }).getByRole('textbox')).toHaveValue('From a file')
})

test('alice keeps her place on the keyboard: from the reveal to the result, and on to the hand of a new round', async ({
  relay,
  alice,
  bob,
}) => {
  const { page } = alice
  const hand = page.getByRole('toolbar', { name: 'Your hand' })
  const result = page.getByRole('region', { name: 'Result' })
  await bob.joins(await alice.startsAndInvites(relay.url), '8')
  await alice.card('5').focus()
  await page.keyboard.press('Enter')
  await alice.sees('Everybody has voted')

  await page.keyboard.press('r')
  await expect(result).toBeFocused()
  await expect(bob.page.getByRole('region', { name: 'Result' })).toBeFocused()
  await expect(alice.seatOf(alice)).toContainText('voted 5')
  await expect(alice.seatOf(bob)).toContainText('voted 8')
  await page.keyboard.press('Tab')
  await expect(page.getByRole('radio', { name: '8' })).toBeFocused()
  await page.getByRole('button', { name: 'Vote again' }).focus()
  await page.keyboard.press('Enter')
  await expect(hand).toBeFocused()
  await page.keyboard.press('Tab')
  await expect(alice.card('0')).toBeFocused()

  await alice.votes('3')
  await bob.votes('3')
  await alice.sees('Everybody has voted')
  await page.getByRole('button', { name: 'Reveal', exact: true }).focus()
  await page.keyboard.press('Enter')
  await expect(result).toBeFocused()
  await page.getByRole('button', { name: 'Settle at 3' }).focus()
  await page.keyboard.press('Enter')
  await alice.sees(/Settled by/)
  await expect(result).toBeFocused()
  await page.keyboard.press('n')
  await expect(hand).toBeFocused()
})

for (const { code, direction } of languages.filter(({ code }) => code === 'en' || code === 'ar')) {
  test(`in a hand of several rows arrows go from card to card as among radio buttons, in ${code}`, async ({
    relay,
    newcomer,
  }) => {
    const alice = await newcomer('alice', { viewport: { width: 390, height: 844 }, locale: code })
    const { page } = alice
    await page.goto(relay.url)
    await page.locator('main .button.primary').click()
    const cards = page.locator('[role=toolbar] button')
    await expect(cards.last()).toBeVisible()
    const tops = await cards.evaluateAll((all) => all.map((each) => each.getBoundingClientRect().top))
    expect(new Set(tops).size).toBeGreaterThan(1)
    const [onwards, back] = direction === 'rtl' ? ['ArrowLeft', 'ArrowRight'] : ['ArrowRight', 'ArrowLeft']
    const last = (await cards.count()) - 1
    await cards.first().focus()
    for (const [key, at] of [
      [onwards, 1],
      ['ArrowDown', 2],
      ['ArrowUp', 1],
      [back, 0],
      [back, last],
      ['ArrowDown', 0],
      ['ArrowUp', last],
      ['Home', 0],
      ['End', last],
      [onwards, 0],
    ] as const) {
      await page.keyboard.press(key)
      await expect(cards.nth(at), `after ${key}`).toBeFocused()
    }
    await expect(page.locator('[role=toolbar] [aria-pressed=true]')).toHaveCount(0)
  })
}

test('who is taken for typing when they speak switches keys on their own off, for good', async ({
  relay,
  alice,
}) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  const { page } = alice
  await page.keyboard.press('8')
  await expect(alice.card('8')).toHaveAttribute('aria-pressed', 'true')
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('checkbox', { name: 'Single-key shortcuts' }).uncheck()
  await page.reload()
  await expect(alice.card('8')).toHaveAttribute('aria-pressed', 'true')
  await page.keyboard.type('3pr?')
  await expect(alice.card('8')).toHaveAttribute('aria-pressed', 'true')
  await expect(page.getByRole('button', { name: 'Reveal', exact: true })).toBeVisible()
  await alice.opensMenu('Help')
  const help = page.getByRole('dialog')
  await expect(help).toContainText('Single-key shortcuts are switched off in the settings.')
  await expect(help).toContainText('Ctrl')
  await expect(help).not.toContainText('This help')
})
