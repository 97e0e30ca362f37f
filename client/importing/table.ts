import Papa from 'papaparse'
import { withFormulas } from '../exporting/formulas.ts'
import { withoutMark } from './list-mark.ts'
import { markdownLine, markdownTable } from './markdown-table.ts'

export interface Row {
  /** Of the first line of the row in the file, from 1. */
  readonly line: number
  /** As they were before an export of ours made them harmless. */
  readonly cells: readonly string[]
}

export interface Table {
  /** Undefined when the first row is a story already. */
  readonly header: readonly string[] | undefined
  readonly rows: readonly Row[]
  readonly separator: string
  readonly problems: readonly TableProblem[]
}

export interface TableProblem {
  readonly line: number
  readonly kind: 'openQuote' | 'moreCells' | 'tooManyRows'
}

/** Beyond them a file is no backlog any more; what is left out is said. */
export const tableLimits = { bytes: 20 << 20, rows: 20_000 } as const

const separators = [',', ';', '\t', '|']
/** Rows that are read before the page gets its turn. */
const portion = 400
/** The page waits no longer than this for its turn, in milliseconds. */
const turn = 12
/** In characters. The parser looks through all that it is given to read a few rows of it. */
const smallestWindow = 4096

const newlines = ['\r\n', '\n', '\r'] as const
type Newline = (typeof newlines)[number]

export interface Reading {
  /** The characters read so far. */
  readonly progress?: (read: number) => void
  readonly signal?: AbortSignal
  /** Instead of the separator that fits best. */
  readonly separator?: string
}

/** Reads in portions, so that the page stays alive. Never rejects for what is in the text; with an AbortError when aborted. */
export async function readTable(text: string, { progress, signal, separator }: Reading = {}): Promise<Table> {
  const drawn = separator ? undefined : markdownTable(text)
  if (drawn) return tableOf(drawn, '|', [], true)
  const named = /^\uFEFF?sep=(.)\r?\n/i.exec(text)
  const skipped = named?.[0].length ?? (text.startsWith('\uFEFF') ? 1 : 0)
  const body = text.slice(skipped)
  const rows: Row[] = []
  const problems: TableProblem[] = []
  const delimiter = separator ?? named?.[1] ?? bestSeparator(body)
  let line = named ? 2 : 1
  let newline: Newline | undefined
  let window = smallestWindow
  let begun = performance.now()
  for (let cursor = 0; cursor < body.length; ) {
    signal?.throwIfAborted()
    const read = (length: number) =>
      Papa.parse<string[]>(body.slice(cursor, cursor + length), {
        delimiter,
        preview: portion,
        fastMode: false, // which ends a portion behind the row after it (papaparse 5.5, line 1508)
        ...(newline ? { newline } : {}),
      })
    let parsed = read(window)
    for (; !parsed.meta.truncated && cursor + window < body.length; parsed = read(window)) window *= 4
    const { data, errors, meta } = parsed
    window = Math.max(smallestWindow, meta.cursor * 2)
    newline ??= newlines.find((each) => each === meta.linebreak)
    const broken = new Set(errors.flatMap(({ type, row }) => (type === 'Quotes' ? [row] : [])))
    data.forEach((cells, at) => {
      if (broken.has(at)) problems.push({ line, kind: 'openQuote' })
      const isEmpty = cells.every((cell) => cell.trim() === '')
      if (!isEmpty && rows.length < tableLimits.rows + 2) rows.push({ line, cells: cells.map(withFormulas) })
      line += 1 + cells.reduce((breaks, cell) => breaks + countBreaks(cell), 0)
    })
    if (!meta.truncated) break
    cursor += meta.cursor
    progress?.(skipped + cursor)
    if (performance.now() - begun < turn) continue
    await new Promise((resolve) => setTimeout(resolve))
    begun = performance.now()
  }
  progress?.(text.length)
  return tableOf(rows, delimiter, problems, looksLikeHeader(rows))
}

function tableOf(rows: Row[], separator: string, problems: TableProblem[], hasHeader: boolean): Table {
  const first = hasHeader ? rows.shift()?.cells.map((cell) => cell.trim()) : undefined
  if (rows.length > tableLimits.rows) {
    problems.push({ line: rows[tableLimits.rows]?.line ?? 0, kind: 'tooManyRows' })
    rows.length = tableLimits.rows
  }
  for (const { line, cells } of rows) {
    const extra = first && cells.slice(first.length).some((cell) => cell.trim() !== '')
    if (extra) problems.push({ line, kind: 'moreCells' })
  }
  if (!first && rows.every(({ cells }) => cells.length === 1)) {
    return { ...withoutListMarks(rows), separator, problems }
  }
  return { ...(first ? withOneTitle(first, rows) : { header: first, rows }), separator, problems }
}

/** Links of the lines stand in one more column. */
function withoutListMarks(lines: readonly Row[]): Pick<Table, 'header' | 'rows'> {
  const rows = lines.map(({ line, cells: [cell = ''] }) => ({ line, cells: markdownLine(withoutMark(cell)) }))
  if (rows.some(({ cells: [, target] }) => target)) return { header: ['Title', 'Link'], rows }
  return { header: undefined, rows: rows.map(({ line, cells: [text] }) => ({ line, cells: [text] })) }
}

/** Azure DevOps writes a tree of work items with a title column for each level, one of which is filled in a row. */
function withOneTitle(header: readonly string[], rows: readonly Row[]): Pick<Table, 'header' | 'rows'> {
  const levels = header.flatMap((cell, at) => (/^(title|titel|titre|título) \d+$/i.test(cell) ? [at] : []))
  const [first] = levels
  if (first === undefined) return { header, rows }
  const others = new Set(levels.slice(1))
  const fold = (cells: readonly string[], title: string) =>
    cells.with(first, title).filter((_, at) => !others.has(at))
  return {
    header: fold(header, 'Title'),
    rows: rows.map(({ line, cells }) => {
      const title = levels.map((at) => cells[at] ?? '').find((cell) => cell.trim() !== '')
      return { line, cells: cells.length > first ? fold(cells, title ?? '') : cells }
    }),
  }
}

function countBreaks(cell: string): number {
  return cell.split(/\r\n|\n|\r/).length - 1
}

/** Stands in no text that people write: every line is one cell. */
const none = '\u001f'

/** The one that gives the first lines most often the same number of cells, and more than one. */
function bestSeparator(text: string): string {
  const start = text.slice(0, 20_000)
  const scored = separators.map((separator) => {
    const { data } = Papa.parse<string[]>(start, { delimiter: separator, preview: 20 })
    const rows = data.filter((cells) => cells.some((cell) => cell !== ''))
    const widths = rows.map((cells) => cells.length)
    const first = widths[0] ?? 1
    const same = widths.filter((width) => width === first).length / Math.max(1, widths.length)
    const score = first > 1 && !isProse(rows) ? same * 10 + Math.min(first, 9) / 10 : 0
    return { separator, score }
  })
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a))
  return best.score > 0 ? best.separator : none
}

/** "Search, by date": a list with one story a line, whose commas belong to the words. */
function isProse(rows: readonly (readonly string[])[]): boolean {
  const [first = []] = rows
  if (first.some((cell) => heading.test(cell.trim())) || /^([A-Z]\w*-|#?)\d+$/.test(first[0] ?? ''))
    return false
  return rows.every((cells) => cells.slice(1).every((cell) => cell.startsWith(' ')))
}

/** Words that trackers and people put above their columns. */
const heading =
  /^(id|key|issue|title|summary|name|story|stories|description|estimate|points|story points|status|state|type|url|link|labels?|priority|notes?|number|work item type|assigned to|tags|iteration path|zusammenfassung|vorgangsschlüssel|beschreibung|titel|schlüssel|résumé|titre|clé|resumen|título|clave|resumo|chave|要約|キー|タイトル|标题|摘要|العنوان)$/i

function looksLikeHeader(rows: readonly Row[]): boolean {
  const [first] = rows
  return first?.cells.some((cell) => heading.test(cell.trim()) || /story points/i.test(cell)) ?? false
}
