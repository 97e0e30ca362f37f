import { expect, test } from './people.ts'

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
  await bob.opens(await alice.invitation())
  const isWhole = async (where: string) => {
    for (const person of [alice, bob]) {
      const over = await person.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      expect(over, `${where}, ${person.name}`).toBeLessThanOrEqual(0)
      expect(await person.page.locator('img, iframe, script:not([src])').count()).toBe(0)
    }
  }

  await alice.tellsName()
  const name = alice.page.getByRole('textbox', { name: 'Name of the session' })
  for (const text of [texts[0], texts[60], texts[90], 'x'.repeat(500), '\u202eevil'] as string[]) {
    await name.fill(text)
    await name.press('Enter')
    await alice.page.getByRole('button', { name: /^Change your name/ }).click()
    await alice.page.getByLabel('Your name').fill(text)
    await alice.page.getByLabel('Your name').press('Enter')
    await isWhole(`the name ${JSON.stringify(text)}`)
  }

  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`
  const rows = texts.map((text) => [text, text, text, text, text].map(cell).join(','))
  await alice.page.getByRole('button', { name: 'More', exact: true }).click()
  await alice.page.locator('header').getByRole('button', { name: 'Import …' }).click()
  const dialog = alice.page.getByRole('dialog')
  await dialog.locator('input[type=file]').setInputFiles({
    name: 'nasty.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(`Title,Key,URL,Description,Estimate\n${rows.join('\n')}\n`),
  })
  await dialog.getByRole('button', { name: /^Import \d+ stories$/ }).click()
  await expect(dialog.getByText(/stories are in the backlog now/)).toBeVisible()
  await dialog.getByRole('button', { name: 'Done' }).click()
  await expect(bob.page.getByRole('textbox', { name: 'Title of the story' })).toHaveCount(100)
  await isWhole('the backlog')
  for (const person of [alice, bob]) {
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
  await isWhole('the table')
})
