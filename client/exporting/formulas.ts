/**
 * At the beginning of a cell, behind spaces, quotes and what cannot be seen, and in full width (OWASP, CSV injection). So does
 * an apostrophe, so that an import knows which ones are ours.
 */
const begins = /^(?:[\s\p{Cc}\p{Cf}\p{Z}"']*[=+\-@|%＝＋－＠\t\r]|')/u
/**
 * Where Excel takes semicolons for separators, as in much of Europe, a quoted cell goes on only until its first semicolon or
 * line end, and the rest begins a cell of its own.
 */
const goesOn = /([;\t\r\n](?:(?![\t\r\n])[\s\p{Cc}\p{Cf}\p{Z}"])*)('*)([=+\-@＝＋－＠][^;\t\r\n]*)/gu
/** Lists and rules in notes are left as they are, unless one calls a function or a program, or is `open`. */
const listed = /^(?:[+-]\s(?!.*(?:\||![^\s!]|[\p{L}\p{N}_.]\())|-+\s*$)/su
const restOfLine = /[^\r\n]*/y
/** What could go on in the next cell. */
const open = /"|[&+*/^<>=,(-]\s*$/

/** As text, where a spreadsheet would begin a formula: with an apostrophe before it, and before an apostrophe in that place. */
export function withoutFormulas(cell: string): string {
  const inside = replaceInside(cell, (quotes) => `'${quotes}`)
  return begins.test(inside) ? `'${inside}` : inside
}

/** What `withoutFormulas` was given. Apostrophes that it would not have set stay. */
export function withFormulas(cell: string): string {
  if (!cell.includes("'")) return cell
  const inside = cell.startsWith("'") && begins.test(cell.slice(1)) ? cell.slice(1) : cell
  return replaceInside(inside, (quotes) => quotes.slice(1))
}

function replaceInside(cell: string, changed: (quotes: string) => string): string {
  return cell.replace(goesOn, (whole, before: string, quotes: string, formula: string, at: number) => {
    const begin = at + whole.length - formula.length
    return /^[\r\n]/.test(before) && isList(cell, begin) ? whole : `${before}${changed(quotes)}${formula}`
  })
}

function isList(cell: string, begin: number): boolean {
  restOfLine.lastIndex = begin
  const [line = ''] = restOfLine.exec(cell) ?? []
  return listed.test(line) && (begin + line.length < cell.length || !open.test(line))
}
