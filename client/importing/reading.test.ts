import { expect, test } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import { encodeSessionFile } from '../../shared/session-file.ts'
import { guessColumns } from './columns.ts'
import { isNoText } from './decode.ts'
import { isPlain } from './pasted.ts'
import { looksLikeTable, storiesIn } from './pasted-list.ts'
import { toStories, withoutDuplicates } from './stories.ts'
import { readTable } from './table.ts'

const big = (rows: number) =>
  `Issue key,Summary,Description,Story Points\n${Array.from(
    { length: rows },
    (_, at) => `APP-${at},"Story, number ${at}","Some notes\nover two lines, with ""quotes""",${at % 13}`,
  ).join('\n')}\n`

const titlesIn = (text: string) => storiesIn(text).map(({ title }) => title)

const milliseconds = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1000

test('ten thousand rows are read in two seconds, and the page gets its turn at least every 50 ms', async () => {
  const text = big(10_000)
  const readings: { readonly took: number; readonly longest: number }[] = []
  // The quickest counts: whatever else this machine does only makes one slower.
  for (let attempt = 0; attempt < 5; attempt++) {
    let longest = 0
    let last = process.cpuUsage()
    const turn = setInterval(() => {
      longest = Math.max(longest, milliseconds(process.cpuUsage(last)))
      last = process.cpuUsage()
    })
    const begun = process.cpuUsage()
    const table = await readTable(text, {})
    toStories(table.rows, guessColumns(table.header, table.rows))
    clearInterval(turn)
    readings.push({ took: milliseconds(process.cpuUsage(begun)), longest })
  }
  expect(Math.min(...readings.map(({ took }) => took))).toBeLessThan(2_000)
  expect(Math.min(...readings.map(({ longest }) => longest))).toBeLessThan(50)
})

test('whoever reads ten thousand rows hears how far that is', async () => {
  const text = big(10_000)
  const progress: number[] = []
  const table = await readTable(text, { progress: (read) => progress.push(read) })
  const { stories } = toStories(table.rows, guessColumns(table.header, table.rows))
  expect(stories).toHaveLength(10_000)
  expect(stories.at(-1)).toEqual({
    title: 'Story, number 9999',
    key: 'APP-9999',
    notes: 'Some notes\nover two lines, with "quotes"',
    given: String(9999 % 13),
  })
  expect(progress.length).toBeGreaterThan(10)
  expect(progress.at(-1)).toBe(text.length)
  expect([...progress].sort((a, b) => a - b)).toEqual(progress)
})

test.each([399, 400, 401, 800, 801, 1203])('all of %i rows without a quote are read', async (rows) => {
  const keys = Array.from({ length: rows }, (_, at) => `APP-${at}`)
  for (const end of ['', '\n', '\r\n']) {
    const table = await readTable(`${keys.map((key) => `${key},A story`).join(end || '\n')}${end}`)
    expect(table.rows.map(({ cells }) => cells[0])).toEqual(keys)
    expect(table.rows.at(-1)?.line).toBe(rows)
  }
})

test('more rows than a backlog may have are left out, and that is said', async () => {
  const table = await readTable(big(20_010))
  expect(table.rows).toHaveLength(20_000)
  expect(table.problems).toEqual([{ line: expect.any(Number), kind: 'tooManyRows' }])
})

test('reading can be stopped', async () => {
  const stop = new AbortController()
  const reading = readTable(big(5_000), { progress: () => stop.abort(), signal: stop.signal })
  await expect(reading).rejects.toThrow('aborted')
})

test('a quote that is never closed is said, with its line', async () => {
  const table = await readTable('Title,Notes\nFine,ok\n"Never closed,rest\nof the file\n')
  expect(table.problems).toContainEqual({ line: 3, kind: 'openQuote' })
  expect(table.rows[0]?.cells[0]).toBe('Fine')
})

test('a text that is too long is cut between letters', () => {
  const { stories } = toStories([{ line: 1, cells: [`a${'🂡'.repeat(1200)}`] }], { title: 0 })
  expect(stories.map(({ title }) => title)).toEqual([`a${'🂡'.repeat(999)}`])
})

test('what a second import brings again is known', () => {
  const existing = [
    { title: 'Search by date', key: 'APP-1' },
    { title: 'Sign in', link: 'https://tracker.example/2' },
    { title: 'Export  the Backlog' },
  ]
  const again = [
    { title: 'Renamed meanwhile', key: 'app-1' },
    { title: 'Sign in, renamed', link: 'https://tracker.example/2' },
    { title: 'export the backlog' },
    { title: 'Search by date', key: 'APP-2' },
    { title: 'New' },
    { title: 'New' },
  ]
  const { fresh, known } = withoutDuplicates(again, existing)
  expect(fresh.map(({ title }) => title)).toEqual(['Search by date', 'New'])
  expect(known).toHaveLength(4)
})

test('a title that has changed where stories come from is told, with the story that has the older one', () => {
  const existing = [
    { title: 'Search by date', key: 'APP-1' },
    { title: 'Sign in', link: 'https://tracker.example/2' },
    { title: 'Export', key: 'APP-3' },
    { title: 'Print', key: 'APP-4' },
    { title: 'Help' },
  ]
  const { retitled } = withoutDuplicates(
    [
      { title: 'Search by day', key: 'app-1' },
      { title: 'Search twice in the file', key: 'APP-1' },
      { title: 'Sign in and out', link: 'https://tracker.example/2' },
      { title: 'Export', key: 'APP-3' },
      { title: 'APP-4', key: 'APP-4' },
      { title: 'HELP' },
      { title: 'New', key: 'APP-9' },
      { title: 'New, again', key: 'APP-9' },
    ],
    existing,
  )
  expect(retitled).toEqual([
    { story: existing[0], title: 'Search by day' },
    { story: existing[1], title: 'Sign in and out' },
  ])
})

test('a workbook and a session file are no text', () => {
  expect(isNoText(new Uint8Array([0x50, 0x4b, 3, 4, 20, 0, 6, 0]))).toBe(true)
  expect(isNoText(new Uint8Array([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1]))).toBe(true)
  expect(isNoText(encodeSessionFile(createSessionKeys(), new Uint8Array(2), 'plain'))).toBe(true)
  for (const text of ['', 'PK', 'facedown is a title', 'Key,Summary']) {
    expect(isNoText(new TextEncoder().encode(text))).toBe(false)
  }
})

test('a pasted table is told from a pasted list', () => {
  expect(looksLikeTable('ABC-1\tSearch\nABC-2\tExport')).toBe(true)
  expect(looksLikeTable('Key,Summary\nABC-1,Search')).toBe(true)
  expect(looksLikeTable('ABC-1\tSearch\nABC-2\tExport\n\t\nABC-3\t\n')).toBe(true)
  expect(looksLikeTable('Vorgangsschlüssel;Zusammenfassung\nABC-1;Suche')).toBe(true)
  expect(looksLikeTable('ABC-1,Search\nABC-2,Export')).toBe(true)
  expect(looksLikeTable('# Sprint\n\n| Key | Title |\n| --- | :-: |\n| ABC-1 | Search |')).toBe(true)
  expect(looksLikeTable('Search, by date\nExport, and import')).toBe(false)
  expect(looksLikeTable('Find the title, and save\nChange the key, then sort')).toBe(false)
  expect(looksLikeTable('One line\twith a tab')).toBe(false)
})

test('a cell of several lines, or with a quote, does not make a list of a pasted table', () => {
  expect(
    looksLikeTable('Key,Summary,Description\nABC-1,Search,"one\n""two"", and\n\nthree"\nABC-2,Export,'),
  ).toBe(true)
  expect(looksLikeTable('ABC-1\t"one\ntwo"\t5\nABC-2\tExport\t3')).toBe(true)
  expect(looksLikeTable('5" pipe\t3\n7" pipe\t5')).toBe(true)
  expect(looksLikeTable('A 5" pipe\nA 7" pipe')).toBe(false)
})

test('marks of lists are no part of titles', () => {
  expect(
    titlesIn(
      '- Search\n* [ ] Export\n3. [x] Sign in\n+ Print\n\n  2026 plans\r\n-5 degrees\n◦ Help\n☐ Find\n1.\tUndo',
    ),
  ).toEqual(['Search', 'Export', 'Sign in', 'Print', '2026 plans', '-5 degrees', 'Help', 'Find', 'Undo'])
  expect(titlesIn('# Sprint\n\n> Search\n---\n```\nExport\n```')).toEqual(['Sprint', '> Search', 'Export'])
  expect(titlesIn('> - Search\n> - Export')).toEqual(['Search', 'Export'])
})

test('a Markdown list gives its words as titles, and what an item links to as the link', async () => {
  const text = [
    '- [Search **everything**](https://tracker.example/1)',
    '- **[Export](https://tracker.example/2)**',
    '- [ ] Print `README` in **bold**',
    '- 2**3 and 3**2',
  ].join('\n')
  const { header, rows } = await readTable(text)
  expect(toStories(rows, guessColumns(header, rows))).toEqual({
    stories: [
      { title: 'Search everything', link: 'https://tracker.example/1' },
      { title: 'Export', link: 'https://tracker.example/2' },
      { title: 'Print README in bold' },
      { title: '2**3 and 3**2' },
    ],
    problems: [],
  })
})

test.each([
  [
    'a list of Jira',
    '[APP-1] Search\nAPP-2: Export',
    [
      { title: 'Search', key: 'APP-1' },
      { title: 'Export', key: 'APP-2' },
    ],
  ],
  [
    'the backlog of Jira',
    'APP-1\nSearch\nAPP-2\nExport',
    [
      { title: 'Search', key: 'APP-1' },
      { title: 'Export', key: 'APP-2' },
    ],
  ],
  [
    'lines of one project',
    'APP-1 Search\nAPP-2 Export',
    [
      { title: 'Search', key: 'APP-1' },
      { title: 'Export', key: 'APP-2' },
    ],
  ],
  [
    'words that look like keys',
    'UTF-8 everywhere\nSHA-256 of files',
    [{ title: 'UTF-8 everywhere' }, { title: 'SHA-256 of files' }],
  ],
  ['one word that looks like a key', 'UTF-8 everywhere', [{ title: 'UTF-8 everywhere' }]],
  ['a row of a spreadsheet', 'APP-1\tSearch', [{ title: 'Search', key: 'APP-1' }]],
  [
    'a column of a spreadsheet',
    '"Search\nby ""date"""\nExport',
    [{ title: 'Search by "date"' }, { title: 'Export' }],
  ],
  [
    'what was said in a chat',
    '[10:32 AM] Ann: Search\n[10:33 AM] Bob: Export',
    [{ title: 'Search' }, { title: 'Export' }],
  ],
])('%s becomes good stories', (_, text, stories) => {
  expect(looksLikeTable(text)).toBe(false)
  expect(storiesIn(text)).toEqual(stories)
})

test.each([
  [
    '[APP-1: Search](https://jira.example/browse/APP-1)',
    { title: 'Search', key: 'APP-1', link: 'https://jira.example/browse/APP-1' },
  ],
  [
    '- [ ] [Search](https://t.example/a_(b)) by date',
    { title: 'Search by date', link: 'https://t.example/a_(b)' },
  ],
  ['https://t.example/1 Search', { title: 'Search', link: 'https://t.example/1' }],
  ['Search - https://t.example/1', { title: 'Search', link: 'https://t.example/1' }],
  [
    'https://jira.example/browse/APP-1',
    { title: 'APP-1', key: 'APP-1', link: 'https://jira.example/browse/APP-1' },
  ],
  [
    'https://t.example/board?selectedIssue=APP-1',
    { title: 'APP-1', key: 'APP-1', link: 'https://t.example/board?selectedIssue=APP-1' },
  ],
  [
    'https://linear.example/acme/issue/APP-1/search-by-date',
    { title: 'Search by date', key: 'APP-1', link: 'https://linear.example/acme/issue/APP-1/search-by-date' },
  ],
  [
    '<https://forge.example/acme/app/-/issues/12>',
    { title: 'acme/app#12', link: 'https://forge.example/acme/app/-/issues/12' },
  ],
  ['https://t.example/wiki/', { title: 't.example/wiki', link: 'https://t.example/wiki/' }],
  ['javascript:alert(1)', { title: 'javascript:alert(1)' }],
])('%s has a title and a link', (text, story) => {
  expect(storiesIn(text)).toEqual([story])
})

test('only words are plain, so that everything else is looked at', () => {
  expect(isPlain('Search by date, for everybody')).toBe(true)
  expect(isPlain('Recherche à l’écran')).toBe(true)
  for (const text of [
    '- Search',
    '1. Search',
    'a\nb',
    'See https://t.example',
    '[a](b)',
    'APP-1 Search',
    '*a*',
    ' ',
  ]) {
    expect(isPlain(text)).toBe(false)
  }
})
