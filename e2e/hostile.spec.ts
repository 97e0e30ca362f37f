import type { Locator } from '@playwright/test'
import { deckLimits } from '../shared/deck.ts'
import { cardsIn } from '../shared/deck-draft.ts'
import { expect, test } from './people.ts'
import type { Person } from './person.ts'

/** In milliseconds. A client sends what comes within 50 as one change, and others would only see the last of it. */
const apart = 55
/** Where the machine has much else to do, the other's page is a while behind. */
const whenBusy = { timeout: 60_000 }

/** What people paste, by mistake or not: each is put through every field and import. */
function corpus(): string[] {
  const markup = [
    '<img src=x onerror=alert(1)>',
    '<script>alert(1)</script>',
    '<svg/onload=alert(1)>',
    '"><b>x</b>',
    '</textarea><script>alert(1)</script>',
    '{{7*7}}',
    '$\u007b7*7}',
    '{@html x}',
    '<style>*{display:none}</style>',
    '<iframe srcdoc="<script>parent.alert(1)</script>">',
    '&lt;b&gt;',
    "' onmouseover='alert(1)",
  ]
  const links = [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'java\tscript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:msgbox(1)',
    'https://evil.example/?q=<script>',
    'http://user:pass@evil.example',
    '//evil.example',
    'https://[::1]/',
    'blob:https://x/1',
  ]
  const control = Array.from(
    { length: 34 },
    (_, code) => `a${String.fromCharCode(code < 32 ? code : 127 + code - 32)}b`,
  )
  const directions = [
    '\u202e',
    '\u202d',
    '\u2066',
    '\u2067',
    '\u2068',
    '\u200f',
    '\u061c',
    '\u200b',
    '\u200d',
    '\ufeff',
  ].map((mark) => `left ${mark}right`)
  const scripts = [
    'مرحبا بالعالم',
    'שלום עולם',
    'こんにちは',
    '你好',
    'नमस्ते दुनिया',
    'สวัสดีชาวโลก',
    'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘',
    '👩‍👩‍👧‍👦'.repeat(5),
    '🏳️‍🌈🇩🇪👍🏽',
    '\ud800',
    'ﷺ',
    'ǅ',
    'İstanbul',
    'ß',
  ]
  const keys = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'null',
    'undefined',
    'NaN',
    '[object Object]',
    'true',
    '0',
    '-1',
    '1e309',
    '../../etc/passwd',
    '%00',
    '%2e%2e%2f',
    "'; DROP TABLE stories;--",
    '$(rm -rf /)',
    '=1+1',
    '@SUM(1)',
    '\\u0041',
    '\\',
    '"',
    "'",
    '`',
    '/*',
    '//',
    '#',
    '?',
    '&',
    ';',
    '|',
  ]
  const long = [1, 10, 100, 500, 1999].flatMap((count) => [
    'x'.repeat(count),
    'wide '.repeat(count).slice(0, 1999),
    '字'.repeat(count),
  ])
  const mixed = Array.from({ length: 200 }, (_, at) => {
    const parts = [markup, links, directions, scripts, keys]
    return parts.map((part, turn) => part[(at * (turn + 3)) % part.length]).join(' ')
  })
  return [...markup, ...links, ...control, ...directions, ...scripts, ...keys, ...long, ...mixed].filter(
    (text) => text.trim() !== '',
  )
}

/** From now on a dialog, and what is wrong in any frame that their browser shows, is a problem of theirs. */
async function looksAtEveryFrame({ page, problems }: Person): Promise<void> {
  page.on('dialog', (dialog) => {
    problems.push(`A dialog opened: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.evaluate(() => {
    const wrongNow = () => {
      // What scrolls, or lies over the page, does not widen it.
      for (const place of document.querySelectorAll('html, dialog, .list')) {
        const over = place.scrollWidth - place.clientWidth
        if (over > 0) return `Something is ${over} too wide for ${place.tagName} ${place.className}`
      }
      const made = document.querySelector('img, iframe, object, embed, script:not([src])')
      if (made) return `A text became an element: ${made.outerHTML}`
      const led = [...document.links].find(({ protocol }) => protocol !== 'https:' && protocol !== 'http:')
      return led && `A text became a link: ${led.href}`
    }
    const look = () => {
      const wrong = wrongNow()
      if (wrong) console.error(wrong)
      else requestAnimationFrame(look)
    }
    look()
  })
}

/** Types one of each row's texts into each field and leaves it, row after row. */
async function typesAll({ page }: Person, fields: readonly Locator[], rows: string[][]): Promise<void> {
  const elements = await Promise.all(fields.map((field) => field.elementHandle()))
  await page.evaluate(
    async ({ elements, rows, apart }) => {
      for (const texts of rows) {
        const pause = new Promise((resolve) => setTimeout(resolve, apart))
        for (const [at, text] of texts.entries()) {
          const field = elements[at]
          if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) throw new Error()
          field.value = text
          field.dispatchEvent(new Event('input', { bubbles: true }))
          field.dispatchEvent(new Event('change', { bubbles: true }))
          field.dispatchEvent(new FocusEvent('blur'))
        }
        await new Promise(requestAnimationFrame)
        await pause
      }
    },
    { elements, rows, apart },
  )
}

/** Calls themselves each of that, one after the other. */
async function callsThemselves({ page }: Person, ...texts: readonly string[]): Promise<void> {
  await page.evaluate(
    async ({ texts, apart }) => {
      const shown = () => new Promise(requestAnimationFrame)
      for (const text of texts) {
        const pause = new Promise((resolve) => setTimeout(resolve, apart))
        document.querySelector<HTMLElement>('button[aria-label^="Change your name"]')?.click()
        await shown()
        const field = document.querySelector<HTMLInputElement>('input[autocomplete=nickname]')
        if (!field) throw new Error('There is no field for the name')
        field.value = text
        field.dispatchEvent(new Event('input', { bubbles: true }))
        await shown()
        field.form?.requestSubmit()
        await pause
      }
    },
    { texts, apart },
  )
}

async function hasShownEverything({ page, status }: Person): Promise<void> {
  await expect(status).toContainText('Saved at the relay', whenBusy)
  await page.evaluate(() => new Promise(requestAnimationFrame))
}

test('300 nasty texts as names and cards: nothing runs, nothing breaks the layout, no policy is violated', async ({
  relay,
  alice,
  bob,
}) => {
  const texts = corpus()
  expect(texts.length).toBeGreaterThanOrEqual(300)
  await alice.starts(relay.url)
  await alice.tellsName()
  await bob.page.setViewportSize({ width: 390, height: 844 }) // names are cut before they are too long for a laptop
  await bob.opens(await alice.invitation())
  await bob.tellsName()
  for (const person of [alice, bob]) await looksAtEveryFrame(person)

  const half = texts.length / 2
  await Promise.all([
    callsThemselves(alice, ...texts.slice(0, half), 'x'.repeat(500), 'alicia'),
    callsThemselves(bob, ...texts.slice(half), 'x'.repeat(500), 'bobby'),
  ])
  for (const { page } of [alice, bob]) {
    const people = page.getByRole('list', { name: 'People at the table' })
    await expect(people).toContainText('alicia', whenBusy)
    await expect(people).toContainText('bobby', whenBusy)
  }

  const dialog = alice.page.getByRole('dialog')
  const labels = cardsIn(texts.join(';')).map(({ label }) => label.slice(0, deckLimits.label).trim())
  const cards = [...new Set(labels)].filter((label) => label !== '')
  expect(cards.length).toBeGreaterThan(80)
  const each = deckLimits.cards - 1
  for (let at = 0; at < cards.length; at += each) {
    const name = `${at} cards`
    await alice.opensMenu('Decks')
    await dialog.getByRole('button', { name: 'Make a deck', exact: true }).click()
    await dialog.getByLabel('Name of the deck').fill(`${at} ${texts[at]}`.slice(0, deckLimits.name))
    await dialog.getByLabel('More cards').fill([name, ...cards.slice(at, at + each)].join(';'))
    await dialog.getByRole('button', { name: 'Save and use' }).click()
    await expect(dialog).toBeHidden(whenBusy)
    await expect(bob.card(name)).toBeVisible(whenBusy)
    await alice.votes(name)
    await alice.reveals()
    await alice.page.getByRole('button', { name: 'Vote again' }).click()
  }
  for (const person of [alice, bob]) await hasShownEverything(person)
})

test('300 nasty texts in every field of a story and its session: nothing runs, nothing breaks the layout, no policy is violated', async ({
  relay,
  alice,
  bob,
}) => {
  const texts = corpus()
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.addsStory('First')
  await bob.opens(await alice.invitation())
  await bob.tellsName()
  for (const person of [alice, bob]) {
    await looksAtEveryFrame(person)
    await person.page.getByRole('button', { name: 'More for First' }).click()
    await person.page.getByRole('button', { name: 'Details' }).click()
    await person.page.getByText('Link template for all stories').click()
  }
  const [mine, theirs] = [alice.page.getByRole('dialog'), bob.page.getByRole('dialog')]
  const fields = [
    alice.page.locator('h1 input'), // the name of the session, which nobody could click now
    mine.getByLabel('Title'),
    mine.getByLabel('Key'),
    mine.getByLabel('Link', { exact: true }),
    mine.getByLabel('Notes'),
    mine.getByRole('textbox', { name: 'Link template for all stories' }),
  ]
  const rows = [...texts, 'x'.repeat(500), 'Second'].map((text, at) => {
    // A story with a link of its own does not show what the template makes: these are links elsewhere.
    const template = `${texts[(at + 150) % texts.length]}{key}`
    return [text, text, text, text, text, template]
  })
  await typesAll(alice, fields, rows)
  await expect(theirs.getByLabel('Notes')).toHaveValue('Second', whenBusy)
  await expect(bob.page.locator('h1 input')).toHaveValue('Second', whenBusy)
  for (const dialog of [mine, theirs]) await dialog.getByRole('button', { name: 'Done' }).click()
  for (const person of [alice, bob]) await hasShownEverything(person)
})

test('300 nasty texts through an import: nothing runs, nothing breaks the layout, no policy is violated', async ({
  relay,
  alice,
  bob,
}) => {
  const texts = corpus()
  await bob.opens(await alice.startsAndInvites(relay.url))
  for (const person of [alice, bob]) await looksAtEveryFrame(person)

  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`
  const rows = texts.map((text) => [text, text, text, text, text].map(cell).join(','))
  await alice.opensMenu('Import …')
  const dialog = alice.page.getByRole('dialog')
  await dialog.locator('input[type=file]').setInputFiles({
    name: 'nasty.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(`Title,Key,URL,Description,Estimate\n${rows.join('\n')}\n`),
  })
  const bring = dialog.getByRole('button', { name: /^Import \d+ stories$/ })
  const brought = Number(/\d+/.exec((await bring.textContent()) ?? ''))
  expect(brought).toBeGreaterThan(200) // those whose keys begin alike are one story
  await bring.click()
  await expect(dialog.getByText(/stories are in the backlog now/)).toBeVisible(whenBusy)
  await dialog.getByRole('button', { name: 'Done' }).click()
  for (const { page } of [alice, bob]) {
    const titles = page.getByRole('textbox', { name: 'Title of the story' })
    await expect(titles).toHaveCount(100, whenBusy)
    await expect(async () => {
      // More rows come on the way down.
      await page.locator('.rest').evaluateAll(([end]) => end?.scrollIntoView())
      expect(await titles.count()).toBe(brought)
    }).toPass(whenBusy)
    const links = await page
      .locator('ol a')
      .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).protocol))
    expect(links.length).toBeGreaterThan(0)
    expect(links.filter((protocol) => protocol !== 'https:' && protocol !== 'http:')).toEqual([])
  }
  for (const query of ['<script>', 'مرحبا', '__proto__']) {
    await alice.page.getByRole('searchbox', { name: 'Search' }).fill(query)
    await expect(alice.page.getByRole('textbox', { name: 'Title of the story' }).first()).toBeVisible()
  }
  await alice.page
    .getByRole('button', { name: /^Vote: / })
    .first()
    .click()
  for (const person of [alice, bob]) await hasShownEverything(person)
})
