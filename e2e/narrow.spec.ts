import { languages } from '../client/locales/languages.ts'
import { arabic, chooseLanguage, choosesByKey, topbar } from './any-language.ts'
import { beginsHere, fitsAcross, hasNoBrokenWord, hasNoSidewaysScroll, hasNoViolation } from './fitting.ts'
import { expect, test } from './people.ts'
import { Team } from './pictures/team.ts'

// Keeping the app on the device takes a third of the work of a visit, and is not what is looked at here.
test.use({ serviceWorkers: 'block' })

test('on a phone a card of a deck is one line', async ({ relay, newcomer }) => {
  const alice = await newcomer('alice', { viewport: { width: 390, height: 844 } })
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.opensMenu('Decks')
  const dialog = alice.page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Make a deck from Fibonacci', exact: true }).click()
  await expect(dialog.getByRole('checkbox', { name: 'stands apart' }).first()).toBeVisible()
  const heights = await dialog
    .getByRole('listitem')
    .evaluateAll((all) => all.map((each) => each.clientHeight))
  expect([...new Set(heights)]).toEqual([44])
  await fitsAcross(dialog, 'a deck')
  await hasNoViolation(alice, 'a deck', 'dialog')
})

test('on the narrowest phone everything fits across after a vote, among few and many people with long names', async ({
  relay,
  newcomer,
}) => {
  const alice = await newcomer('alice', { viewport: { width: 320, height: 568 } })
  const few = await Team.gather(relay.direct, arabic, 'Maximiliane von Hohenberg-Sigmaringen')
  await alice.joins(few.link(relay.url), '5')
  await alice.sees(/Sealed\. Opens/)
  await hasNoSidewaysScroll(alice, 'voted')
  await beginsHere(alice, 'a seat')
  const sizes = await alice.page
    .getByRole('banner')
    .locator('a, button')
    .evaluateAll((all) =>
      all.map((each) => {
        const { width, height } = each.getBoundingClientRect()
        return Math.min(width, height)
      }),
    )
  expect(sizes.length).toBeGreaterThan(4)
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(44)
  few.leave()

  process.setMaxListeners(0) // everybody's connection listens for the end of the process
  const names = Array.from({ length: 11 }, (_, at) => `Maximiliane von Hohenberg-Sigmaringen ${at}`)
  const many = await Team.gather(relay.direct, arabic, ...names)
  many.vote(many.start(undefined), '5')
  await alice.opens(many.link(relay.url))
  await alice.tellsName()
  await beginsHere(alice, 'a crowd')
  await hasNoSidewaysScroll(alice, 'a crowd')
  await alice.votes('5')
  await alice.reveals()
  await beginsHere(alice, 'a pile')
  await hasNoSidewaysScroll(alice, 'a crowd that revealed')
  many.leave()
})

test('on the narrowest phone a session is renamed in sight, and what becomes of it can be read to its end', async ({
  relay,
  newcomer,
}) => {
  const alice = await newcomer('alice', { viewport: { width: 320, height: 568 } })
  await alice.starts(relay.url)
  await alice.goesHome()
  const more = alice.page.getByRole('button', { name: /^More for/ })
  await more.click()
  await alice.page.getByRole('button', { name: 'Rename' }).click()
  const field = alice.page.getByRole('textbox', { name: 'Name of the session' })
  const cut = (each: Element) =>
    Math.max(each.scrollWidth - each.clientWidth, each.scrollHeight - each.clientHeight)
  await field.fill('Sprint 48: payments')
  expect(await field.evaluate(cut)).toBeLessThanOrEqual(0)
  await field.fill('')
  await field.press('Enter')
  await more.click()
  await alice.page.getByRole('button', { name: 'Remove from this device' }).click()
  expect(await alice.page.getByText(/no longer on this device/).evaluate(cut)).toBeLessThanOrEqual(0)
})

test('on a phone a hand in many rows leaves the table in the open', async ({ relay, newcomer }) => {
  const alice = await newcomer('alice', { viewport: { width: 390, height: 844 } })
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.addsStory('First')
  await alice.makesDeck(
    'Thirty',
    Array.from({ length: 30 }, (_, at) => at + 1),
  )
  await alice.laysOut('First')
  await alice.votes('30')
  await alice.page.evaluate(() => scrollTo(0, 0))
  const { x, y, width, height } = (await alice.page
    .getByRole('button', { name: 'Reveal', exact: true })
    .boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
  const there = await alice.page.evaluate(
    ([x, y]) => document.elementFromPoint(x, y)?.closest('button')?.textContent?.trim(),
    [x + width / 2, y + height / 2] as const,
  )
  expect(there).toBe('Reveal')
  await hasNoSidewaysScroll(alice, 'a large hand')
})

test('on a phone the hand stays under the finger that has chosen a card', async ({ relay, newcomer }) => {
  const alice = await newcomer('alice', { viewport: { width: 390, height: 664 } })
  const team = await Team.gather(relay.direct, 'Björn')
  team.vote(team.start(undefined), '5')
  await alice.opens(team.link(relay.url))
  await alice.tellsName()
  await alice.sees('1 of 2 have voted')
  await alice.card('8').scrollIntoViewIfNeeded()
  const place = () => alice.card('8').evaluate((card) => card.parentElement?.getBoundingClientRect().top)
  const before = await place()
  await alice.votes('8')
  await alice.sees(/Sealed\. Opens/)
  expect(await place()).toBe(before)
  team.leave()
})

for (const { code } of languages) {
  test(`on the narrowest phone no word is broken, in ${code}`, async ({ relay, newcomer }) => {
    const alice = await newcomer('alice', { viewport: { width: 320, height: 568 } })
    const { page } = alice
    await page.addInitScript(chooseLanguage, code)
    await page.goto(relay.url)
    await expect(page.locator('html')).toHaveAttribute('lang', code)
    await hasNoBrokenWord(alice, 'home')
    const team = await Team.gather(relay.direct, 'Björn', 'Chiara', 'Dalia')
    const [estimated, story] = team.adds({ title: 'Export', key: 'APP-1' }, { title: 'Search' })
    if (!estimated || !story) throw new Error('Stories were added')
    team.plays(estimated, ['5 5 5'], '5')
    const round = team.lays(story)
    team.vote(round, '3 13 -')
    await page.goto(team.link(relay.url))
    const name = page.locator('input[autocomplete=nickname]')
    await name.fill('alice')
    await name.press('Enter')
    await page.evaluate(() => (document.activeElement as HTMLElement).blur())
    await choosesByKey(alice)
    await expect(page.locator('.saved svg:not(.spinner)')).toBeVisible()
    await hasNoBrokenWord(alice, 'voted')
    team.reveal(round)
    await expect(page.locator('input[type=radio]').first()).toBeAttached()
    await hasNoBrokenWord(alice, 'revealed')
    const { more, entries } = topbar(alice)
    const panel = page.getByRole('dialog')
    for (const [at, where] of ['looking back', 'phone', 'help'].entries()) {
      await more.click()
      await entries.nth([3, 6, 7][at] ?? 0).click()
      await expect(panel.getByRole('heading').first()).toBeVisible()
      await hasNoBrokenWord(alice, where)
      await page.keyboard.press('Escape')
      await expect(panel).toHaveCount(0)
    }
    team.leave()
  })
}

test('on the narrowest phone and on a wall the words of a deck of the team are whole', async ({
  relay,
  newcomer,
}) => {
  const alice = await newcomer('alice', { viewport: { width: 320, height: 568 } })
  const bob = await newcomer('bob', { viewport: { width: 1920, height: 1080 } })
  const link = await alice.startsAndInvites(relay.url)
  await alice.makesDeck('Animals', ['Maus', 'Hund', 'Elephant'])
  await bob.joins(link, 'Maus')
  await alice.votes('Elephant')
  await hasNoBrokenWord(alice, 'voted')
  await alice.reveals()
  await bob.opensMenu('Projector view')
  for (const [person, where] of [
    [alice, 'phone'],
    [bob, 'wall'],
  ] as const) {
    await expect(person.page.locator('.names').first()).toBeVisible()
    await hasNoBrokenWord(person, where)
  }
  await bob.page.keyboard.press('Escape')
  await alice.settles('Elephant')
  await expect(alice.page.getByText('Settled by alice')).toBeVisible()
  await hasNoBrokenWord(alice, 'settled')
})
