import type { Row } from './table.ts'

/** What stands under the header: `| --- | :-: |`. */
const ruler = /^\|(?:\s*:?-+:?\s*\|)+$/
const link = /^\[((?:\\.|[^\\\]])*)\]\(<?([^\s<>]*)>?\)$/

/** The first table of a Markdown text, its header first; undefined without any. What a cell links to stands in one more column. */
export function markdownTable(text: string): Row[] | undefined {
  const lines = text.split(/\r\n?|\n/).map((line) => line.trim())
  const under = lines.findIndex((line, at) => ruler.test(line) && isRow(lines[at - 1]))
  if (under < 0 || isQuoted(lines.slice(0, under))) return undefined
  const rows: Row[] = []
  let linked = false
  for (let at = under - 1; isRow(lines[at]); at++) {
    if (at === under) continue
    const cells = (lines[at] ?? '').slice(1, -1).split(/(?<!\\)\|/)
    const parted = cells.map((cell) => link.exec(cell.trim()))
    const target = parted.find((part) => part)?.[2] ?? ''
    linked ||= target !== ''
    rows.push({
      line: at + 1,
      cells: [...cells.map((cell, place) => textOf(parted[place]?.[1] ?? cell)), target],
    })
  }
  const [header, ...others] = rows
  if (!header) return undefined
  if (!linked) return rows.map(({ line, cells }) => ({ line, cells: cells.slice(0, -1) }))
  return [{ ...header, cells: header.cells.with(-1, 'Link') }, ...others]
}

/** What a line of a list says, and what all of it links to; empty without a link. */
export function markdownLine(line: string): [text: string, target: string] {
  const plain = withoutEmphasis(line)
  const linked = link.exec(plain)
  return linked ? [withoutEmphasis(textOf(linked[1] ?? '')), linked[2] ?? ''] : [plain, '']
}

export function withoutEmphasis(text: string): string {
  return text
    .replace(/(?<![\w*])\*\*(?=\S)([^*]*[^*\s])\*\*(?![\w*])/g, '$1')
    .replace(/(?<![\w_])__(?=\S)([^_]*[^_\s])__(?![\w_])/g, '$1')
    .replace(/(?<![\w~])~~(?=\S)([^~]*[^~\s])~~(?![\w~])/g, '$1')
    .replace(/^([*_])(?=[^\s*_])([^*_]*[^\s*_])\1$/, '$2')
    .replace(/(?<![\w`])`([^`]+)`(?!`)/g, '$1')
}

/** A cell of another table may have one in it. */
function isQuoted(before: readonly string[]): boolean {
  return before.join().split('"').length % 2 === 0
}

function isRow(line: string | undefined): boolean {
  return /^\|.*\|$/.test(line ?? '')
}

/** Any punctuation may be escaped (CommonMark 6.1). */
function textOf(cell: string): string {
  return cell
    .trim()
    .replace(/<br\s*\/?>/gi, '\n')
    .replace(/\\([!-/:-@[-`{-~])/g, '$1')
}
