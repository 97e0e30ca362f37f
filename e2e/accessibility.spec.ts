import { AxeBuilder } from '@axe-core/playwright'
import { languages } from '../client/locales/languages.ts'
import { expect, test } from './people.ts'
import type { Person } from './person.ts'

async function hasNoViolation(person: Person, where: string): Promise<void> {
  // What moves is looked at when it has arrived.
  await person.page.waitForFunction(() =>
    document.getAnimations().every((each) => each.playState !== 'running'),
  )
  const { violations } = await new AxeBuilder({ page: person.page }).analyze()
  expect(violations.map(({ id, nodes }) => [where, id, nodes.map(({ html }) => html.slice(0, 200))])).toEqual(
    [],
  )
}

async function hasNoSidewaysScroll(person: Person, where: string): Promise<void> {
  const over = await person.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect(over, `${where} is ${over}px too wide`).toBeLessThanOrEqual(0)
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing on any page and state, ${colorScheme}`, async ({ relay, newcomer, bob }) => {
    test.setTimeout(150_000)
    const alice = await newcomer('alice', { colorScheme })
    await alice.page.goto(relay.url)
    await hasNoViolation(alice, 'home')
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
    await hasNoViolation(alice, 'a story’s tools')
    await alice.seatOf(bob).getByRole('button').click()
    await hasNoViolation(alice, 'the menu of a person')
    await alice.page.keyboard.press('Escape')
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
      await hasNoViolation(alice, panel)
      await alice.page.keyboard.press('Escape')
    }
    await alice.page.getByRole('button', { name: 'Settings' }).click()
    await hasNoViolation(alice, 'settings')
    await alice.page.keyboard.press('Escape')
    await relay.stop()
    await alice.sees('Offline')
    await hasNoViolation(alice, 'offline')
    await alice.page.getByRole('link', { name: /All sessions/ }).click()
    await hasNoViolation(alice, 'home with sessions')
  })
}

for (const { code, direction } of languages) {
  test(`in ${code} nothing is missing, too wide, or wrong for a screen reader`, async ({
    relay,
    newcomer,
  }) => {
    const alice = await newcomer('alice', { viewport: { width: 390, height: 844 }, locale: 'en-GB' })
    await alice.page.addInitScript((chosen) => localStorage.setItem('facedown.language', chosen), code)
    await alice.page.goto(relay.url)
    await expect(alice.page.locator('html')).toHaveAttribute('lang', code)
    await expect(alice.page.locator('html')).toHaveAttribute('dir', direction)
    await hasNoSidewaysScroll(alice, 'home')
    await hasNoViolation(alice, 'home')
    await alice.page.locator('main button').first().click()
    const name = alice.page.locator('input[autocomplete=nickname]')
    await name.fill('alice')
    await name.press('Enter')
    await alice.page.locator('form textarea').fill('One\nTwo')
    await alice.page.locator('form textarea').press('Enter')
    await expect(alice.page.locator('ol textarea')).toHaveCount(2)
    await hasNoSidewaysScroll(alice, 'voting')
    await hasNoViolation(alice, 'voting')
    await alice.page.evaluate(() => (document.activeElement as HTMLElement).blur())
    await alice.page.keyboard.press('5')
    await expect(alice.page.locator('[role=toolbar] [aria-pressed=true]')).toHaveCount(1)
    await alice.page.keyboard.press('r')
    await expect(alice.page.locator('input[type=radio]').first()).toBeAttached()
    await hasNoSidewaysScroll(alice, 'revealed')
    await hasNoViolation(alice, 'revealed')
  })
}
