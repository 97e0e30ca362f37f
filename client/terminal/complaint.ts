/** What a command ends with. */
export const codes = { done: 0, couldNot: 1, misused: 2 } as const

/** A sentence for the person at the terminal, who can do something about it. */
export class Complaint extends Error {
  readonly code: number

  constructor(words: string, code: number = codes.couldNot) {
    super(words)
    this.code = code
  }
}

export function misused(words: string): Complaint {
  return new Complaint(words, codes.misused)
}

/** Of what the system threw: "no such file or directory", "permission denied". */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return /^[A-Z0-9]+: ([^,]+)/.exec(text)?.[1] ?? text
}
