import { type Columns, type Field, fields, guessColumns } from '../importing/columns.ts'
import type { Row, Table } from '../importing/table.ts'
import { misused } from './complaint.ts'
import { plain } from './plain.ts'

interface Said {
  readonly field: Field
  /** A heading, or the number of a column; empty when the field is not to be imported. */
  readonly wanted: string
}

/** `title=Summary` or `title=2`: what is said goes before what is guessed, also of what the headings are. */
export function chooseColumns(
  table: Pick<Table, 'header' | 'rows'>,
  words: readonly string[],
): { readonly rows: readonly Row[]; readonly columns: Columns } {
  const said = words.map(parse)
  const [first, ...others] = table.rows
  const names = (cells: readonly string[]) =>
    said.some(({ wanted }) => !isNumber(wanted) && find(cells, wanted) >= 0)
  const unseen = !table.header && first && names(first.cells) ? first.cells : undefined
  const header = table.header ?? unseen
  const rows = unseen ? others : table.rows
  const columns: { -readonly [Name in Field]?: number } = { ...guessColumns(header, rows) }
  for (const { field, wanted } of said) {
    delete columns[field]
    const named = header ? find(header, wanted) : -1
    const at = named < 0 && isNumber(wanted) ? Number(wanted) - 1 : named
    if (at >= 0) columns[field] = at
    else if (wanted !== '') {
      const known = header
        ? `They are ${header.map(plain).join(', ')}`
        : 'The file has no headings: say its number'
      throw misused(`There is no column "${wanted}". ${known}`)
    }
  }
  return { rows, columns }
}

function parse(words: string): Said {
  const [name = '', ...rest] = words.split('=')
  const field = fields.find((known) => known === name.trim())
  if (field && rest.length > 0) return { field, wanted: rest.join('=').trim() }
  throw misused(`--column is like title=Summary, with one of ${fields.join(', ')}, but it is "${words}"`)
}

function find(cells: readonly string[], wanted: string): number {
  if (wanted === '') return -1
  return cells.findIndex((cell) => cell.trim().toLowerCase() === wanted.toLowerCase())
}

function isNumber(wanted: string): boolean {
  return /^[1-9]\d{0,3}$/.test(wanted)
}
