import type { Locator } from '@playwright/test'
import { deckLimits } from '../shared/deck.ts'
import { cardsIn } from '../shared/deck-draft.ts'
import { expect, test } from './people.ts'
import type { Person } from './person.ts'

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

/** From now on what is wrong in any frame that their browser shows becomes a problem of theirs. */
async function looksAtEveryFrame({ page }: Person): Promise<void> {
  await page.evaluate(() => {
    const wrongNow = () => {
      const over = document.documentElement.scrollWidth - innerWidth
      if (over > 0) return `Something is ${over} too wide`
      const [made] = document.querySelectorAll('img, iframe, object, embed, script:not([src])')
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

/** Types each text into each field, one after the other, no faster than a relay lets anybody. */
async function typesAll({ page }: Person, texts: readonly string[], ...fields: Locator[]): Promise<void> {
  const elements = await Promise.all(fields.map((field) => field.elementHandle()))
  await page.evaluate(
    async ({ texts, elements }) => {
      for (const text of texts) {
        for (const field of elements) {
          if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) throw new Error()
          field.value = text
          field.dispatchEvent(new Event('input', { bubbles: true }))
          field.dispatchEvent(new Event('change', { bubbles: true }))
          field.dispatchEvent(new FocusEvent('blur'))
        }
        await new Promise((resolve) => setTimeout(resolve, 5 + 8 * elements.length))
      }
    },
    { texts, elements },
  )
}

/** Calls themselves all of that, and in the end something else. */
async function callsThemselves({ page }: Person, texts: readonly string[]): Promise<void> {
  await page.evaluate(async (texts) => {
    const shown = () => new Promise((resolve) => setTimeout(resolve, 15))
    for (const text of texts) {
      document.querySelector<HTMLElement>('button[aria-label^="Change your name"]')?.click()
      await shown()
      const field = document.querySelector<HTMLInputElement>('input[autocomplete=nickname]')
      if (!field) throw new Error('There is no field for the name')
      field.value = text
      field.dispatchEvent(new Event('input', { bubbles: true }))
      field.form?.requestSubmit()
      await shown()
    }
  }, texts)
}

test('300 nasty texts through every field and import: nothing runs, nothing breaks the layout, no policy is violated', async ({
  relay,
  alice,
  bob,
}) => {
  const texts = corpus()
  expect(texts.length).toBeGreaterThanOrEqual(300)
  for (const { page } of [alice, bob]) {
    page.on('dialog', (dialog) => {
      alice.problems.push(`A dialog opened: ${dialog.message()}`)
      void dialog.dismiss()
    })
  }
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.addsStory('First')
  await bob.opens(await alice.invitation())
  await bob.tellsName()
  await looksAtEveryFrame(alice)
  await looksAtEveryFrame(bob)

  await callsThemselves(alice, [...texts, 'x'.repeat(500), 'alicia'])
  await expect(bob.page.getByRole('list', { name: 'People at the table' })).toContainText('alicia')
  for (const { page } of [alice, bob]) {
    await page.getByRole('button', { name: 'More for First' }).click()
    await page.getByRole('button', { name: 'Details' }).click()
  }
  const [mine, theirs] = [alice.page.getByRole('dialog'), bob.page.getByRole('dialog')]
  await typesAll(
    alice,
    [...texts, 'x'.repeat(500), 'Second'],
    alice.page.locator('h1 input'), // the name of the session, which nobody could click now
    mine.getByLabel('Title'),
    mine.getByLabel('Key'),
    mine.getByLabel('Link', { exact: true }),
    mine.getByLabel('Notes'),
  )
  await expect(theirs.getByLabel('Notes')).toHaveValue('Second')
  await expect(bob.page.locator('h1 input')).toHaveValue('Second')
  await mine.getByText('Link template for all stories').click()
  const template = mine.getByLabel('Link template for all stories').last()
  await typesAll(
    alice,
    texts.map((text) => `${text}{key}`),
    template,
  )
  for (const dialog of [mine, theirs]) await dialog.getByRole('button', { name: 'Done' }).click()

  const labels = cardsIn(texts.join(';')).map(({ label }) => label.slice(0, deckLimits.label).trim())
  const cards = [...new Set(labels)].filter((label) => label !== '')
  expect(cards.length).toBeGreaterThan(80)
  const each = deckLimits.cards - 1
  let known = '5'
  for (let at = 0; at < cards.length; at += each) {
    const name = `${at} cards`
    await alice.opensMenu('Decks')
    await mine.getByRole('button', { name: 'Make a deck', exact: true }).click()
    await mine.getByLabel('Name of the deck').fill(`${at} ${texts[at]}`.slice(0, deckLimits.name))
    await mine.getByLabel('More cards').fill([name, ...cards.slice(at, at + each)].join(';'))
    await mine.getByRole('button', { name: 'Save and use' }).click()
    await expect(mine).toBeHidden()
    // A round that has begun keeps its cards.
    await alice.votes(known)
    await alice.reveals()
    await alice.page.getByRole('button', { name: 'Vote again' }).click()
    await expect(bob.card(name)).toBeVisible()
    known = name
  }

  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`
  const rows = texts.map((text) => [text, text, text, text, text].map(cell).join(','))
  await alice.opensMenu('Import …')
  await mine.locator('input[type=file]').setInputFiles({
    name: 'nasty.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(`Title,Key,URL,Description,Estimate\n${rows.join('\n')}\n`),
  })
  const bring = mine.getByRole('button', { name: /^Import \d+ stories$/ })
  const brought = Number(/\d+/.exec((await bring.textContent()) ?? ''))
  expect(brought).toBeGreaterThan(200) // those whose keys begin alike are one story
  await bring.click()
  await expect(mine.getByText(/stories are in the backlog now/)).toBeVisible()
  await mine.getByRole('button', { name: 'Done' }).click()
  for (const person of [alice, bob]) {
    const shown = person.page.getByRole('textbox', { name: 'Title of the story' })
    await expect
      .poll(async () => {
        // More rows come on the way down.
        await person.page.evaluate(() => document.querySelector('.rest')?.scrollIntoView())
        return shown.count()
      })
      .toBe(brought + 1)
    const links = await person.page
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
    .getByRole('button', { name: /^Put on the table/ })
    .first()
    .click()
  await expect(alice.status).toContainText('Saved at the relay')
  await bob.page.evaluate(() => new Promise(requestAnimationFrame))
})
