import { type Counts, type Examination, isSound, type Table, tables } from './examine.ts'

/** How results are told to people. */
const words: Record<Table, readonly [one: string, many: string]> = {
  sessions: ['session', 'sessions'],
  entries: ['entry', 'entries'],
  snapshots: ['snapshot', 'snapshots'],
  deposits: ['deposited key', 'deposited keys'],
  releases: ['release', 'releases'],
  deletions: ['deleted session', 'deleted sessions'],
}

export function countsIn(counts: Counts): string {
  const parts = tables
    .filter((table) => counts[table] > 0)
    .map((table) => amount(counts[table], ...words[table]))
  return parts.length === 0 ? 'nothing' : parts.join(', ')
}

export function amount(count: number, one: string, many: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

export function sizeOf(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  const at = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)))
  return `${(bytes / 1000 ** at).toFixed(at === 0 ? 0 : 1)} ${units[at]}`
}

export function examinationIn(examination: Examination): string {
  const { rows, damaged, pages } = examination
  if (isSound(examination)) return `${countsIn(rows)}: all whole.`
  const lines = [`${countsIn(rows)} could be read; damaged: ${countsIn(damaged)}.`]
  if (pages.length > 0) lines.push(`SQLite finds damaged pages:\n  ${pages.join('\n  ')}`)
  lines.push(
    'What can be read is served, and devices bring back what they hold. To go back to a backup: facedown restore.',
  )
  return lines.join('\n')
}
