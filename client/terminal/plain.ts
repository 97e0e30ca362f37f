/** Others choose names and titles, and a terminal obeys what is written to it: nothing of theirs may be an order, or a line of its own. */

/** One line of text alone. */
export function plain(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
    .trim()
}

/** Lines stay lines. */
export function plainLines(text: string): string {
  return text.replace(/[^\P{Cc}\n\r\t]/gu, '')
}
