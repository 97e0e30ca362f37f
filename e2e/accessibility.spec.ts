import type { Locator } from '@playwright/test'
import { languages } from '../client/locales/languages.ts'
import { violationsOf } from './axe.ts'
import { expect, test } from './people.ts'
import type { Person } from './person.ts'
import { Team } from './pictures/team.ts'

// Keeping the app on the device takes a third of the work of a visit, and is not what is looked at here.
test.use({ serviceWorkers: 'block' })

async function hasNoViolation(person: Person, where: string, within = 'html'): Promise<void> {
  await expect(person.page.locator(within === 'html' ? 'h1' : within).first()).toBeVisible()
  // What moves is looked at when it has arrived.
  await person.page.waitForFunction(() =>
    document.getAnimations().every((each) => each.playState !== 'running'),
  )
  expect(await violationsOf(person.page, within), `axe finds in ${where}`).toEqual([])
}

async function hasNoSidewaysScroll(person: Person, where: string): Promise<void> {
  const over = await person.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect(over, `${where} is ${over}px too wide`).toBeLessThanOrEqual(0)
}

/** Nothing in it can be pushed sideways, and nothing sticks out of it. */
async function fitsAcross(panel: Locator, where: string): Promise<void> {
  const wrong = await panel.evaluate((root) => {
    const { left, right } = root.getBoundingClientRect()
    const isOut = (element: Element) => {
      const box = element.getBoundingClientRect()
      return box.width > 1 && (box.left < left - 1 || box.right > right + 1)
    }
    const scrolls = (element: Element) =>
      element.scrollWidth > element.clientWidth && /auto|scroll/.test(getComputedStyle(element).overflowX)
    const all = [root, ...root.querySelectorAll('*')]
    return all.filter((each) => isOut(each) || scrolls(each)).map(({ outerHTML }) => outerHTML.slice(0, 200))
  })
  expect(wrong, `${where} is too narrow for`).toEqual([])
}

/** Where there is no English to go by: the places of the topbar are the same in every language. */
function topbar({ page }: Person) {
  const bar = page.getByRole('banner')
  const menus = bar.locator('button[aria-expanded]')
  return { settings: menus.nth(-2), more: menus.last(), entries: bar.locator('section button'), bar }
}

/** From the home page: with a name and two stories, as far as it goes without knowing the language. */
async function begins({ page }: Person): Promise<void> {
  await page.locator('main button').first().click()
  const name = page.locator('input[autocomplete=nickname]')
  await name.fill('alice')
  await name.press('Enter')
  await page.locator('form textarea').fill('One\nTwo')
  await page.locator('form textarea').press('Enter')
  await expect(page.locator('ol textarea')).toHaveCount(2)
  await page.evaluate(() => (document.activeElement as HTMLElement).blur())
}

async function choosesByKey({ page }: Person): Promise<void> {
  await page.keyboard.press('5')
  await expect(page.locator('[role=toolbar] [aria-pressed=true]')).toHaveCount(1)
}

async function revealsByKey({ page }: Person): Promise<void> {
  await page.keyboard.press('r')
  await expect(page.locator('input[type=radio]').first()).toBeAttached()
}

function chooseLanguage(code: string): void {
  if (origin !== 'null') localStorage.setItem('facedown.language', code) // the browser's page for what it cannot reach has no storage
}

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

const arabic = 'محمد بن عبد الله بن عبد الرحمن'

/** A name that is too long is cut where it ends, whichever way it runs. */
async function beginsHere({ page }: Person, where: string): Promise<void> {
  const name = page.locator('bdi', { hasText: arabic }).first()
  await expect(name).toBeVisible()
  const cut = await name.evaluate((element) => {
    const [text] = element.childNodes
    const first = document.createRange()
    if (text) first.setStart(text, 0)
    if (text) first.setEnd(text, 1)
    const letter = first.getBoundingClientRect()
    const room = element.parentElement?.getBoundingClientRect()
    return Math.max(letter.right - (room?.right ?? 0), (room?.left ?? 0) - letter.left)
  })
  expect(cut, `${where}: so much is missing where the name begins`).toBeLessThanOrEqual(1)
}

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

/** Words in Latin or Arabic letters whose end is in another line than their beginning, without a hyphen of theirs. */
async function hasNoBrokenWord({ page }: Person, where: string): Promise<void> {
  const broken = await page.evaluate(() => {
    const word = /[\p{Script=Latin}\p{Script=Arabic}]+/gu
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    const found: string[] = []
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      if (
        !text.parentElement?.checkVisibility() ||
        text.parentElement.closest('.visually-hidden, bdi:not(.label)')
      )
        continue
      for (const { 0: letters, index, input } of text.textContent?.matchAll(word) ?? []) {
        const range = document.createRange()
        // Behind a soft hyphen the first letter has the hyphen's place as well.
        range.setStart(text, input[index - 1] === '\u00ad' ? index + 1 : index)
        range.setEnd(text, index + letters.length)
        const tops = [...range.getClientRects()].map(({ top }) => Math.round(top))
        if (new Set(tops).size > 1) found.push(letters)
      }
    }
    return found
  })
  expect(broken, `${where}: these words are broken`).toEqual([])
}

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
