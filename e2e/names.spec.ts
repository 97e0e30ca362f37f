import { languages } from '../client/locales/languages.ts'
import { arabic, begins, chooseLanguage } from './any-language.ts'
import { beginsHere } from './fitting.ts'
import { expect, test } from './people.ts'
import { Team } from './pictures/team.ts'

// Keeping the app on the device takes a third of the work of a visit, and is not what is looked at here.
test.use({ serviceWorkers: 'block' })

test('among many it can be read who was not sure, however long their names are', async ({
  relay,
  newcomer,
}) => {
  process.setMaxListeners(0) // everybody's connection listens for the end of the process
  const names = Array.from({ length: 12 }, (_, at) => `Maximiliane von Hohenberg-Sigmaringen ${at}`)
  const team = await Team.gather(relay.url, arabic, ...names)
  const round = team.start(undefined)
  team.vote(round, '5~ 5~ 8~ 8 13~ 3~ 2')
  team.reveal(round)
  for (const width of [320, 820, 1366]) {
    const person = await newcomer('alice', { viewport: { width, height: 800 } })
    await person.page.goto(team.link(relay.url))
    const marks = person.page
      .getByRole('region', { name: 'People at the table' })
      .getByText('unsure', { exact: true })
    await expect(marks).toHaveCount(5)
    for (const mark of await marks.all()) {
      const [shown, room] = await Promise.all([
        mark.boundingBox(),
        mark.locator('xpath=ancestor::li').boundingBox(),
      ])
      if (!shown || !room) throw new Error('It is visible')
      expect(shown.x, `${width}`).toBeGreaterThanOrEqual(room.x)
      expect(shown.x + shown.width, `${width}`).toBeLessThanOrEqual(room.x + room.width)
    }
  }
  team.leave()
})

test('the name of a session, too, is cut where it ends, for those who watch and on a wall', async ({
  relay,
  newcomer,
}) => {
  const alice = await newcomer('alice', { viewport: { width: 320, height: 568 } })
  const team = await Team.gather(relay.direct, 'Björn')
  team.names(`${arabic} ${arabic}`)
  await alice.opens(team.link(relay.url, 'observer'))
  await beginsHere(alice, 'the heading')
  await alice.opensMenu('Projector view')
  await beginsHere(alice, 'the wall')
  team.leave()
})

test('a title runs its own way beside a key and a session that run another', async ({ relay, newcomer }) => {
  const alice = await newcomer('alice')
  const team = await Team.gather(relay.direct, 'Björn')
  team.names('Sprint 48')
  const [story] = team.adds({ title: arabic, key: 'APP-1' })
  if (!story) throw new Error('A story was added')
  team.plays(story, ['5'], '5')
  await alice.joins(team.link(relay.url), '8')
  await alice.opensMenu('Looking back')
  const dialog = alice.page.getByRole('dialog')
  await dialog.getByRole('tab', { name: 'Estimates' }).click()
  await expect(dialog.getByText('APP-1', { exact: true })).toHaveCSS('unicode-bidi', 'isolate')
  await expect(dialog.getByRole('listitem').filter({ hasText: arabic })).toHaveCSS('direction', 'rtl')
  await alice.page.keyboard.press('Escape')
  await expect.poll(() => alice.page.evaluate(() => JSON.stringify(localStorage))).toContain(arabic)
  await alice.goesHome()
  await alice.page.getByRole('button', { name: 'Start a session' }).click()
  await alice.card('5').hover()
  await alice.sees('Earlier stories with 5')
  const session = alice.page.locator('.about').getByText('Sprint 48', { exact: true })
  await expect(session).toHaveCSS('unicode-bidi', 'isolate')
  team.leave()
})

test('a key that turns letters around turns none of the title beside it', async ({ relay, newcomer }) => {
  const alice = await newcomer('alice')
  const team = await Team.gather(relay.direct, 'Björn')
  const [story] = team.adds({ title: 'Search by date', key: '\u2069\u202eAPP-1' })
  if (!story) throw new Error('A story was added')
  team.plays(story, ['5'], '5')
  await alice.joins(team.link(relay.url), '8')
  await alice.opensMenu('Looking back')
  const dialog = alice.page.getByRole('dialog')
  await dialog.getByRole('tab', { name: 'Estimates' }).click()
  const places = await dialog.getByRole('listitem').evaluate((element) => {
    const text = element.lastChild
    const at = text?.textContent?.indexOf('Search') ?? 0
    return [at, at + 5].map((letter) => {
      const range = document.createRange()
      if (text) range.setStart(text, letter)
      return range.getClientRects()[0]?.left ?? 0
    })
  })
  const [first = 0, sixth = 0] = places
  expect(sixth).toBeGreaterThan(first)
  team.leave()
})

for (const { code, direction } of languages.filter(({ code }) => code === 'en' || code === 'ar')) {
  test(`the hand is a fan, and titles stand at the edge, in ${code}`, async ({ relay, newcomer }) => {
    const alice = await newcomer('alice')
    const { page } = alice
    await page.addInitScript(chooseLanguage, code)
    await page.goto(relay.url)
    await expect(page.locator('html')).toHaveAttribute('dir', direction)
    await begins(alice)
    const turns = await page.locator('[role=toolbar] button').evaluateAll((cards) =>
      cards
        .map((card) => ({
          left: card.getBoundingClientRect().left,
          turn: Number.parseFloat(getComputedStyle(card).rotate),
        }))
        .sort((a, b) => a.left - b.left)
        .map(({ turn }) => turn),
    )
    expect(turns.length).toBeGreaterThan(5)
    expect(turns).toEqual(turns.toSorted((a, b) => a - b))
    const edge = direction === 'rtl' ? 'right' : 'left'
    for (const title of await page.locator('ol textarea').all()) {
      await title.fill('Search')
      await expect(title).toHaveCSS('text-align', edge)
      await title.fill(arabic)
      await expect(title).toHaveCSS('text-align', edge)
    }
  })
}
