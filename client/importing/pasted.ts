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

/** Several lines with the same separator, or a header: a table rather than one story a line. */
export function looksLikeTable(text: string): boolean {
  const lines = text.trim().split(/\r?\n/)
  if (lines.length < 2) return false
  if (lines.every((line) => line.includes('\t'))) return true
  const [first = ''] = lines
  return [',', ';'].some((separator) => {
    const cells = first.split(separator).length
    const named = /\b(key|summary|title|description|id|url|estimate|story points)\b/i.test(first)
    return cells > 1 && named && lines.slice(1, 6).every((line) => line.includes(separator))
  })
}

/** One story a line, without the marks of lists. */
export function titlesIn(text: string): string[] {
  return text
    .split(/\r\n|[\r\n\u2028\u2029]/)
    .map((line) => line.replace(/^\s*(?:[-*•–]\s+(?:\[[ xX]\]\s+)?|\d{1,4}[.)]\s+)/, '').trim())
    .filter((line) => line !== '')
}
