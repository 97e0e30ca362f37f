import type { ExportRow } from './export-row.ts'

/** A table of the backlog. `words` are the headings, in this order: story, estimate, rounds. */
export function exportMarkdown(
  name: string,
  rows: readonly ExportRow[],
  words: readonly [story: string, estimate: string, rounds: string],
): string {
  const lines = rows.map((row) => {
    const text = escaped([row.key, row.title].filter((part) => part !== '').join(' '))
    const linked = row.link ? `[${text}](<${row.link.replace(/[<>\s]/g, encodeURIComponent)}>)` : text
    return `| ${linked} | ${escaped(row.estimate?.label ?? row.conflicting.join(' / '))} | ${row.rounds} |`
  })
  const head = [`| ${words.map(escaped).join(' | ')} |`, '| --- | --- | --- |']
  return `${[`# ${escaped(name)}`, '', ...head, ...lines].join('\n')}\n`
}

/** Everything that Markdown or HTML would take for more than text (CommonMark 6.1 lets any punctuation be escaped). */
function escaped(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\`*_{}[\]()<>#+\-.!|&~$^=:"']/g, '\\$&')
}
