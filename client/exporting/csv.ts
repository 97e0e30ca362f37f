import Papa from 'papaparse'
import type { ExportRow, ExportVote } from './export-row.ts'
import { withoutFormulas } from './formulas.ts'

/** Where the file is meant to go back to: its columns have the names that tracker expects. */
export const trackers = ['generic', 'jira', 'azure', 'github', 'linear'] as const
export type Tracker = (typeof trackers)[number]

type Cell = string | number
type Column = readonly [name: string, cell: (row: ExportRow) => Cell]

const title = (row: ExportRow) => row.title
const key = (row: ExportRow) => row.key
const notes = (row: ExportRow) => row.notes
const link = (row: ExportRow) => row.link
/** A number is written as one, so that a spreadsheet can add it up. */
const estimate = (row: ExportRow): Cell => row.estimate?.number ?? row.estimate?.label ?? ''
/** Spreadsheets would take "5 / 8" for a date. */
const standing = (row: ExportRow): Cell => (row.estimate ? estimate(row) : row.conflicting.join(' or '))
/** A tracker takes an empty cell for "no estimate": what it said before stands until the team settles its own. */
function kept(row: ExportRow): Cell {
  if (row.estimate) return estimate(row)
  return /^\d+(\.\d+)?$/.test(row.given) ? Number(row.given) : row.given
}

function told({ name, label, unsure }: ExportVote): string {
  return `${name}: ${label}${unsure ? ' (unsure)' : ''}`
}

const columns: Readonly<Record<Tracker, readonly Column[]>> = {
  generic: [
    ['Key', key],
    ['Title', title],
    ['Estimate', standing],
    ['State', (row) => row.state],
    ['Rounds', (row) => row.rounds],
    ['Votes', (row) => row.votes.map(told).join('; ')],
    ['Link', link],
    ['Notes', notes],
  ],
  jira: [
    ['Issue key', key],
    ['Summary', title],
    ['Story Points', kept],
    ['Description', notes],
  ],
  azure: [
    ['ID', key],
    ['Work Item Type', () => 'User Story'],
    ['Title', title],
    ['Story Points', kept],
    ['Description', notes],
  ],
  github: [
    ['Number', key],
    ['Title', title],
    ['URL', link],
    ['Estimate', kept],
    ['Body', notes],
  ],
  linear: [
    ['ID', key],
    ['Title', title],
    ['Description', notes],
    ['Estimate', kept],
    ['URL', link],
  ],
}

/** UTF-8 with the mark that makes spreadsheets read it as such; RFC 4180 line ends. */
export function exportCsv(rows: readonly ExportRow[], tracker: Tracker): string {
  const chosen = columns[tracker]
  const table: Cell[][] = [
    chosen.map(([name]) => name),
    ...rows.map((row) => chosen.map(([, cell]) => harmless(cell(row)))),
  ]
  return `\uFEFF${Papa.unparse(table, { quotes: isSplit, newline: '\r\n' })}\r\n`
}

function harmless(cell: Cell): Cell {
  return isText(cell) ? withoutFormulas(cell) : cell
}

/** Some programs take tabs and semicolons for separators as well as commas. */
function isSplit(cell: Cell): boolean {
  return isText(cell) && /[;\t]/.test(cell)
}

function isText(cell: Cell): cell is string {
  return typeof cell === 'string'
}
