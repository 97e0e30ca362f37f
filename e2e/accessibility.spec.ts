import type { Locator } from '@playwright/test'
import { languages } from '../client/locales/languages.ts'
import { begins, chooseLanguage, choosesByKey, revealsByKey, topbar } from './any-language.ts'
import { violationsOf } from './axe.ts'
import { fitsAcross, hasNoSidewaysScroll, hasNoViolation } from './fitting.ts'
import { expect, test } from './people.ts'
import type { Person } from './person.ts'

// Keeping the app on the device takes a third of the work of a visit, and is not what is looked at here.
test.use({ serviceWorkers: 'block' })

async function asksToDelete({ page }: Person): Promise<void> {
  await page.getByRole('button', { name: /^More for/ }).click()
  await page.getByRole('button', { name: 'Delete from the relay …' }).click()
  await expect(page.getByRole('dialog')).toBeVisible()
}

test('axe finds what is wrong', async ({ relay, alice }) => {
  await alice.page.goto(relay.url)
  await expect(alice.page.getByRole('button', { name: 'Start a session' })).toBeVisible()
  await alice.page.locator('main').evaluate((main) => main.append(new Image()))
  expect(await violationsOf(alice.page, 'html')).toEqual([['image-alt', ['<img>']]])
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing on any page and state, ${colorScheme}`, async ({ relay, newcomer, bob }) => {
    // In the end she goes home without the relay.
    const alice = await newcomer('alice', { colorScheme, serviceWorkers: 'allow' })
    await alice.page.goto(relay.url)
    await hasNoViolation(alice, 'home')
    alice.expects(/status of 404/)
    await alice.page.goto(`${relay.url}no/such/page`)
    await hasNoViolation(alice, 'a problem')
    await alice.starts(relay.url)
    await hasNoViolation(alice, 'alone')
    await alice.tellsName()
    await alice.addsStory('Search by date', 'Export', 'Sign in', '4', '5', '6', '7', '8', '9')
    await alice.laysOut('Search by date')
    await bob.joins(await alice.invitation(), '5')
    await alice.votes('8')
    await alice.page.getByRole('button', { name: 'Not sure' }).click()
    await hasNoViolation(alice, 'voting')
    await alice.page.getByRole('button', { name: 'More for Export' }).click()
    await expect(alice.page.getByRole('button', { name: 'Details' })).toBeVisible()
    await hasNoViolation(alice, 'a story’s tools')
    await alice.seatOf(bob).getByRole('button').click()
    const menu = alice.page.getByRole('dialog', { name: 'bob' })
    await expect(menu).toBeVisible()
    await hasNoViolation(alice, 'the menu of a person')
    await alice.page.keyboard.press('Escape')
    await expect(menu).toBeHidden()
    await alice.reveals()
    await hasNoViolation(alice, 'revealed')
    await alice.settles('8')
    await hasNoViolation(alice, 'settled')
    for (const panel of [
      'Decks',
      'Who decides',
      'Looking back',
      'Import …',
      'Export …',
      'Continue on my phone',
      'Help',
    ]) {
      await alice.page.getByRole('button', { name: 'More', exact: true }).click()
      await alice.page.locator('header').getByRole('button', { name: panel, exact: true }).click()
      await expect(alice.page.getByRole('dialog')).toBeVisible()
      await hasNoViolation(alice, panel, 'dialog')
      await alice.page.keyboard.press('Escape')
    }
    await alice.page.getByRole('button', { name: 'Settings' }).click()
    await expect(alice.page.getByRole('group', { name: 'Appearance' })).toBeVisible()
    await hasNoViolation(alice, 'settings')
    await alice.page.keyboard.press('Escape')
    await alice.keepsTheApp()
    await relay.stop()
    await alice.sees('Offline')
    await hasNoViolation(alice, 'offline')
    await alice.goesHome()
    await expect(alice.page.getByRole('button', { name: /^More for/ })).toBeVisible()
    await hasNoViolation(alice, 'home with sessions')
    await asksToDelete(alice)
    await hasNoViolation(alice, 'deleting', 'dialog')
  })
}

for (const { code, direction } of languages) {
  test(`in ${code} nothing is missing, too wide for a phone, or wrong for a screen reader, whatever panel is open`, async ({
    relay,
    newcomer,
  }) => {
    const alice = await newcomer('alice', { viewport: { width: 390, height: 844 }, locale: 'en-GB' })
    const { page } = alice
    await page.addInitScript(chooseLanguage, code)
    await page.goto(relay.url)
    await expect(page.locator('html')).toHaveAttribute('lang', code)
    await expect(page.locator('html')).toHaveAttribute('dir', direction)
    await hasNoSidewaysScroll(alice, 'home')
    await hasNoViolation(alice, 'home')
    await begins(alice)
    await hasNoSidewaysScroll(alice, 'voting')
    await hasNoViolation(alice, 'voting')
    await choosesByKey(alice)
    await revealsByKey(alice)
    await hasNoSidewaysScroll(alice, 'revealed')
    await hasNoViolation(alice, 'revealed')

    const { settings, more, entries, bar } = topbar(alice)
    const panel = page.getByRole('dialog')
    const isRight = async (where: string) => {
      await expect(panel.getByRole('heading').first()).toBeVisible()
      await fitsAcross(panel, where)
      await hasNoSidewaysScroll(alice, where)
      await hasNoViolation(alice, where, 'dialog')
      await page.keyboard.press('Escape')
      await expect(panel).toHaveCount(0)
    }
    // The first entry is the projector, which is a view of its own.
    const panels = ['decks', 'who decides', 'looking back', 'import', 'export', 'phone', 'help']
    for (const [at, name] of panels.entries()) {
      await more.click()
      await expect(entries).toHaveCount(panels.length + 1)
      await entries.nth(at + 1).click()
      if (name === 'decks') {
        // Read from right to left, 1½ would be ½1.
        const labels = panel.locator('.cards > span', { hasText: /\d/ })
        await expect(labels.first()).toBeVisible()
        const directions = await labels.evaluateAll((all) =>
          all.map((each) => getComputedStyle(each).direction),
        )
        expect([...new Set(directions)]).toEqual(['ltr'])
      }
      if (name === 'looking back') {
        for (const tab of await page.getByRole('tab').all()) {
          await tab.click()
          await fitsAcross(panel, name)
        }
      }
      await isRight(name)
    }
    await page.locator('header > button').first().click()
    await isRight('invite')
    await settings.click()
    await expect(bar.locator('select')).toBeVisible()
    await fitsAcross(bar.locator('section'), 'settings')
    await hasNoSidewaysScroll(alice, 'settings')
    await hasNoViolation(alice, 'settings', 'header section')
  })
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`where the system forces its colours, cards and buttons keep their edges, ${colorScheme}`, async ({
    relay,
    newcomer,
  }) => {
    const alice = await newcomer('alice', { forcedColors: 'active', colorScheme })
    const { page } = alice
    const styleOf = (what: Locator) =>
      what.evaluate((element) => {
        const { backgroundColor, borderStyle, borderWidth, borderColor } = getComputedStyle(element)
        return { backgroundColor, borderStyle, borderWidth, borderColor }
      })
    const standsOut = async (what: Locator) => {
      const { borderStyle, backgroundColor } = await styleOf(what)
      expect(borderStyle).toBe('solid')
      const ground = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
      expect(backgroundColor).not.toBe(ground)
    }
    const primaryStandsOut = () => standsOut(page.locator('main .button.primary'))
    await page.goto(relay.url)
    await primaryStandsOut()
    await hasNoViolation(alice, 'home')
    await begins(alice)
    await choosesByKey(alice)
    await primaryStandsOut()
    const chosen = await styleOf(page.locator('[role=toolbar] [aria-pressed=true] .front'))
    const others = await styleOf(page.locator('[role=toolbar] [aria-pressed=false] .front').first())
    expect(others.borderStyle).toBe('solid')
    expect(chosen.borderStyle).toBe('solid')
    expect(chosen.borderWidth).not.toBe(others.borderWidth)
    expect(chosen.borderColor).not.toBe(others.borderColor)
    const faceDown = await styleOf(alice.seatOf(alice).locator('.back'))
    expect(faceDown.borderStyle).toBe('double')
    await hasNoViolation(alice, 'voting')
    await revealsByKey(alice)
    await primaryStandsOut()
    const picked = page.locator('label', { has: page.locator('input:checked') })
    expect(await picked.evaluate((label) => getComputedStyle(label).outlineStyle)).toBe('solid')
    await hasNoViolation(alice, 'revealed')
    await alice.goesHome()
    await asksToDelete(alice)
    await standsOut(page.getByRole('button', { name: 'Delete for everybody' }))
  })
}

test('at 200 % on a small desktop nothing is too wide and nothing covers what comes next', async ({
  relay,
  newcomer,
}) => {
  // What is left of 1280 × 800.
  const alice = await newcomer('alice', { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 })
  const { page } = alice
  const isInTheOpen = async (what: Locator, where: string) => {
    await hasNoSidewaysScroll(alice, where)
    await what.scrollIntoViewIfNeeded()
    const covered = await what.evaluate((element) => {
      const { left, right, top, bottom } = element.getBoundingClientRect()
      const inside = [left + 4, (left + right) / 2, right - 4].flatMap((x) =>
        [top + 4, (top + bottom) / 2, bottom - 4].map((y) => document.elementFromPoint(x, y)),
      )
      return inside.filter((found) => !element.contains(found)).map((found) => found?.outerHTML.slice(0, 200))
    })
    expect(covered, `${where}: something covers it`).toEqual([])
  }
  const primary = page.locator('main .button.primary')
  await page.goto(relay.url)
  await isInTheOpen(primary, 'home')
  await begins(alice)
  await choosesByKey(alice)
  await isInTheOpen(primary, 'voting')
  await isInTheOpen(page.locator('[role=toolbar] [aria-pressed=true]'), 'the chosen card')
  await hasNoViolation(alice, 'voting')
  await revealsByKey(alice)
  await isInTheOpen(primary, 'revealed')
  await hasNoViolation(alice, 'revealed')
})
