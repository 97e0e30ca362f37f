import fc from 'fast-check'
import Papa from 'papaparse'
import { expect, test } from 'vitest'
import { guessColumns } from '../importing/columns.ts'
import { toStories } from '../importing/stories.ts'
import { readTable } from '../importing/table.ts'
import { exportCsv, trackers } from './csv.ts'
import type { ExportRow } from './export-row.ts'
import { exportJson, importJson } from './json.ts'
import { exportMarkdown } from './markdown.ts'

const row: ExportRow = {
  title: 'Search by date',
  key: 'APP-1',
  link: 'https://tracker.example/browse/APP-1',
  notes: 'One\ntwo',
  estimate: { label: '5', number: 5 },
  state: 'settled',
  rounds: 2,
  votes: [{ name: 'alice', label: '5' }],
}

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
    '=HYPERLINK("https://x.example")',
    '+1+1',
    '-1+1',
    '@SUM(1)',
    '\t=1',
    '\r=1',
  ),
)

test('no cell of an export is a formula, whatever people typed', () => {
  fc.assert(
    fc.property(nasty, nasty, nasty, fc.constantFrom(...trackers), (title, notes, label, tracker) => {
      const rows = [{ ...row, title, notes, key: notes, link: label, estimate: { label } }]
      const { data } = Papa.parse<string[]>(exportCsv(rows, tracker).slice(1))
      for (const cell of data.flat()) expect(cell, JSON.stringify(cell)).not.toMatch(formula)
    }),
    { numRuns: 20_000 },
  )
})

test('numbers stay numbers, negative ones too', () => {
  const csv = exportCsv([{ ...row, estimate: { label: '−1', number: -1 } }], 'generic')
  expect(csv).toContain(',-1,')
})

test('what is exported for a tracker is read back the same', async () => {
  const titles = ['=1+1', "'quoted'", "'=both", ' plain', 'a "b", c; d', '-5 degrees', '@home', 'two\nlines']
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

test('a JSON export is read back the same, and anything else is none', () => {
  expect(importJson(exportJson('Sprint', [row]))).toEqual([
    { title: row.title, key: row.key, link: row.link, notes: row.notes, given: '5' },
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
