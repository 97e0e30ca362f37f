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

/** One line that says no more than its words: what somebody types. Everything else is worth fetching `pasted-list.ts` for. */
export function isPlain(text: string): boolean {
  return /^\s*\p{L}[^\n\r\u2028\u2029\t:/\\*_~`[\]-]*$/u.test(text)
}
