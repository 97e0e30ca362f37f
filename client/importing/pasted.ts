/** What was pasted where single lines are expected, on its way to the import. */
let pasted: string | undefined

export function handOver(text: string): void {
  pasted = text
}

export function takeOver(): string | undefined {
  const text = pasted
  pasted = undefined
  return text
}

/** Rows of a spreadsheet, a CSV file or a Markdown table, rather than one story a line. */
export function looksLikeTable(text: string): boolean {
  // Between quotes a line end is one within a cell.
  const bare = text.replace(/(^|[\t;,\n])"[^"]*(?:""[^"]*)*"/g, '$1')
  const rows = bare.split('\n').filter((row) => row)
  const [first = '', ...others] = rows
  const like = (separator: string) => {
    const width = first.split(separator).length
    return width > 1 && others.length > 0 && others.every((row) => row.split(separator).length === width)
  }
  return (
    /^\|.*\n\|[-:| ]+$/m.test(text) ||
    like('\t') ||
    [';', ','].some((each) => like(each) && !bare.includes(`${each} `))
  )
}

/** One story a line, without the marks of lists. */
export function titlesIn(text: string): string[] {
  return text
    .split(/\r\n|[\r\n\u2028\u2029]/)
    .map(withoutMark)
    .filter((line) => line)
}

export function withoutMark(line: string): string {
  return line.replace(/^\s*(?:(?:[-*+•–]|\d{1,4}[.)])\s+)?(?:\[[ xX]\]\s+)?/, '').trim()
}
