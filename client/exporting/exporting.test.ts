import fc from 'fast-check'
import Papa from 'papaparse'
import { expect, test } from 'vitest'
import { tellRounds } from '../../shared/chronicle.ts'
import { Device, meet } from '../../shared/testing.ts'
import { guessColumns } from '../importing/columns.ts'
import { checkedStories, toStories } from '../importing/stories.ts'
import { readTable } from '../importing/table.ts'
import type { StoryView } from '../session/session-view.ts'
import { exportCsv, trackers } from './csv.ts'
import { type ExportRow, type ExportVote, exportRow } from './export-row.ts'
import { withFormulas, withoutFormulas } from './formulas.ts'
import { exportJson, importJson } from './json.ts'
import { exportMarkdown } from './markdown.ts'

const row: ExportRow = {
  title: 'Search by date',
  key: 'APP-1',
  link: 'https://tracker.example/browse/APP-1',
  notes: 'One\ntwo',
  estimate: { label: '5', number: 5 },
  conflicting: [],
  given: '',
  state: 'settled',
  rounds: 2,
  votes: [{ name: 'alice', label: '5', unsure: false }],
}

const untitled = { title: '', key: '', given: '', link: undefined, estimates: [] } as unknown as StoryView

const zero = { estimate: { label: '0', number: 0 } }

/** What begins a formula in Excel, LibreOffice and Google Sheets; they skip what cannot be seen. */
const formula = /^[\s\p{Cc}\p{Cf}\p{Z}"]*[=+\-@＝＋－＠]/u

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc
    .tuple(
      fc.constantFrom(
        '',
        ' ',
        '\t',
        '\r',
        '\n',
        '\u00a0',
        '\u200b',
        '\ufeff',
        '"',
        "'",
        '\u202e',
        '\u3000',
        '\0',
      ),
      fc.constantFrom('=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%', "'", ''),
      fc.string({ maxLength: 12 }),
    )
    .map((parts) => parts.join('')),
  fc.constantFrom(
    "=cmd|' /C calc'!A0",
    "Search;=cmd|' /C calc'!A0",
    'Search;;\t =1;"+1',
    "'\n=A1&",
    '- one\n- SUM(1)\n---\n-1',
    '=HYPERLINK("https://x.example")',
    '+1+1',
    '-1+1',
    '@SUM(1)',
    '\t=1',
    '\r=1',
  ),
)

/** As spreadsheets read it, whatever separates their cells: behind its closing quote a cell goes on up to the next separator. */
function cellsOf(csv: string, separator: string): string[] {
  const cell = new RegExp(
    `(?:"((?:[^"]|"")*)"|)([^${separator}\\r\\n]*)(?:${separator}|\\r\\n|\\r|\\n|$)`,
    'gu',
  )
  return [...csv.slice(1).matchAll(cell)].map(
    ([, quoted = '', rest = '']) => quoted.replaceAll('""', '"') + rest,
  )
}

/** A line of a list, which names nothing that a spreadsheet could run and does not go on behind its cell. */
const listed = /^(?:[+-]\s(?:[^(|"]|(?<![\p{L}\p{N}_.])\()*(?:$|(?<=[^-+&*/^<>=,(|"\s]\s*)")|-+\s*$)/u

test.each([',', ';', '\t'])(
  'no cell of an export is a formula, whatever people typed, read with %j',
  (delimiter) => {
    fc.assert(
      fc.property(nasty, nasty, nasty, fc.constantFrom(...trackers), (title, notes, label, tracker) => {
        const rows = [{ ...row, title, notes, key: notes, link: label, estimate: { label } }]
        const formulas = cellsOf(exportCsv(rows, tracker), delimiter).filter(
          (cell) => formula.test(cell) && !(delimiter !== ',' && listed.test(cell)),
        )
        expect(formulas).toEqual([])
      }),
      { numRuns: 20_000 },
    )
  },
)

test.each([
  '\n=HYPERLINK("https://x.example");',
  "Search;=cmd|' /C calc'!A0",
  'Search;=A1&',
  'one\n- WEBSERVICE(A1)',
  "one\n- cmd|' /C calc'!A0",
  'one\n- A1&',
  'one\n- (',
  'one\n- "',
  'one\n+1+1',
])('where semicolons separate cells %j begins no formula', (notes) => {
  const cells = cellsOf(exportCsv([{ ...row, notes }], 'generic'), ';')
  expect(cells.filter((cell) => formula.test(cell))).toEqual([])
})

test('lists, rules and what stands between semicolons stay as they are', () => {
  const notes = 'Steps:\n- search (by date); then filter\n-- \n---\n+ plus\n- A1:B2'
  expect(exportCsv([{ ...row, notes }], 'jira')).toContain(`"${notes}"`)
})

test('numbers stay numbers, negative ones too', () => {
  const csv = exportCsv([{ ...row, estimate: { label: '−1', number: -1 } }], 'generic')
  expect(csv).toContain(',-1,')
})

test('what is made harmless is read back as it was', () => {
  fc.assert(
    fc.property(nasty, (text) => {
      expect(withFormulas(withoutFormulas(text))).toBe(text)
    }),
    { numRuns: 50_000 },
  )
  expect(withFormulas("it's; 'quoted' and\n'so on'")).toBe("it's; 'quoted' and\n'so on'")
})

test('what is exported for a tracker is read back the same', async () => {
  const titles = [
    '% of visits',
    '|x|',
    '"-5" degrees',
    '=1+1',
    "'quoted'",
    "'=both",
    ' plain',
    'a "b", c; d',
    '-5 degrees',
    '@home',
    'two\nlines',
    '%d items',
    '"=1"',
    '| a',
    'a;=b',
  ]
  const rows = titles.map((title, at) => ({ ...row, title, key: `APP-${at}`, notes: `${title}\nmore` }))
  for (const tracker of trackers) {
    const table = await readTable(exportCsv(rows, tracker))
    const { stories, problems } = toStories(table.rows, guessColumns(table.header, table.rows))
    expect(problems).toEqual([])
    expect(stories.map(({ title, key, notes, given }) => [title, key, notes, given])).toEqual(
      rows.map(({ title, key, notes }) => [title.trim().replace('\n', ' '), key, notes.trim(), '5']),
    )
  }
})

test('what a story came with goes back to the tracker while the team has no estimate of its own', () => {
  const open = { ...row, estimate: undefined, given: '3' }
  for (const tracker of trackers) {
    const { data } = Papa.parse<Record<string, string>>(exportCsv([open, { ...open, ...zero }], tracker), {
      header: true,
    })
    const said = data.slice(0, 2).map((cells) => cells['Story Points'] ?? cells.Estimate)
    expect(said, tracker).toEqual([tracker === 'generic' ? '' : '3', '0'])
  }
  expect(importJson(exportJson('Sprint', [open]))?.map(({ given }) => given)).toEqual(['3'])
})

test('estimates that conflict are all told, and come back as what was estimated before', async () => {
  const torn: ExportRow = {
    ...row,
    link: '',
    estimate: undefined,
    conflicting: ['5', '8'],
    given: '3',
    state: 'conflict',
  }
  expect(exportMarkdown('Sprint', [torn], ['Story', 'Estimate', 'Rounds'])).toContain('date | 5 / 8 | 2 |')
  expect(exportCsv([torn], 'generic')).toContain('Search by date,5 or 8,conflict,')
  for (const tracker of ['jira', 'azure', 'github', 'linear'] as const) {
    const { data } = Papa.parse<Record<string, string>>(exportCsv([torn], tracker), { header: true })
    expect(data[0]?.['Story Points'] ?? data[0]?.Estimate, tracker).toBe('3')
  }
  expect(importJson(exportJson('Sprint', [torn]))).toMatchObject([{ given: '5 or 8' }])
})

test('an export tells who was not sure, in the order of names', () => {
  const [alice, bob] = [new Device('alice').introduces(), new Device('bob').introduces()]
  meet(alice, bob)
  const round = alice.starts()
  bob.hears(alice)
  bob.votes(round, '5', true)
  alice.votes(round, '5')
  meet(alice, bob)
  bob.reveals(round)
  meet(alice, bob)
  alice.opens(round)
  bob.opens(round)
  meet(alice, bob)
  const rounds = [...tellRounds(alice.ledger, 'quick', new Map())]
  const told = { story: untitled, rounds, estimate: undefined, settled: undefined }
  const nameOf = (id: string) => (id === bob.id ? 'bob' : 'alice')
  const inOrder = (votes: readonly ExportVote[]) => votes.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const made = exportRow(told, '', nameOf, inOrder)
  expect(made.votes).toEqual([
    { name: 'alice', label: '5', unsure: false },
    { name: 'bob', label: '5', unsure: true },
  ])
  expect(exportCsv([made], 'generic')).toContain('"alice: 5; bob: 5 (unsure)"')
})

test('several estimates nobody has chosen among are a conflict, one is settled', () => {
  const story = (...labels: string[]) =>
    ({ ...untitled, estimates: labels.map((label) => ({ card: { label } })) }) as never
  const told = (...labels: string[]) => ({
    story: story(...labels),
    rounds: [],
    estimate: undefined,
    settled: undefined,
  })
  expect(exportRow(told('5', '8'), '', String, () => [])).toMatchObject({
    state: 'conflict',
    conflicting: ['5', '8'],
  })
  expect(exportRow({ ...told('5'), estimate: { label: '5' } }, '', String, () => [])).toMatchObject({
    state: 'settled',
    conflicting: [],
  })
})

test('an apostrophe in a JSON export is one that somebody typed', () => {
  const said = importJson(exportJson('Sprint', [{ ...row, title: "'=both" }])) ?? []
  expect(checkedStories(said).stories.map(({ title }) => title)).toEqual(["'=both"])
})

test('a JSON export is read back the same, and anything else is none', () => {
  expect(importJson(exportJson('Sprint', [row]))).toEqual([
    { title: row.title, key: row.key, link: row.link, notes: row.notes, given: '5' },
  ])
  const title = "'=both"
  expect(checkedStories(importJson(exportJson('Sprint', [{ ...row, title }])) ?? []).stories).toMatchObject([
    { title },
  ])
  for (const other of ['', '{}', '[]', 'null', '{"format":"facedown backlog"}', 'Key,Summary'])
    expect(importJson(other)).toBeUndefined()
})

test('Markdown shows what people typed as text', () => {
  const title = '<img src=x> | **bold** `code` [x](javascript:alert(1))'
  const markdown = exportMarkdown('A # name', [{ ...row, title, link: '' }], ['Story', 'Estimate', 'Rounds'])
  const [, cells = ''] = markdown.split('\n').slice(-2).reverse()
  expect(cells.replace(/\\[^\s\w]/g, '')).not.toMatch(/[<>*`[\]()]/)
  expect(cells.match(/(?<!\\)\|/g)).toHaveLength(4)
  expect(exportMarkdown('n', [row], ['Story', 'Estimate', 'Rounds'])).toContain(
    '](<https://tracker.example/browse/APP-1>)',
  )
})

test('a Markdown export is a table again, with the links of its stories', async () => {
  const titles = ['Search', 'a | b', '[x](y) \\', '**bold** & <i>', '1. One']
  const rows = titles.map((title, at) => ({ ...row, title, link: at === 0 ? row.link : '' }))
  const table = await readTable(exportMarkdown('Sprint', rows, ['Story', 'Estimate', 'Rounds']))
  const { stories } = toStories(table.rows, guessColumns(table.header, table.rows))
  expect(stories).toEqual(
    titles.map((title, at) => ({
      title: `APP-1 ${title}`,
      ...(at === 0 && { link: row.link }),
      given: '5',
    })),
  )
})
