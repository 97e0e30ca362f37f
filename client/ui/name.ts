export const nameLimit = 80

/** A name as others will see it: one line, no longer than the limit. `cut` tells whether something was left out. */
export function parseName(text: string): { readonly name: string; readonly cut: boolean } {
  const line = text.replace(/\s+/g, ' ').trim()
  const letters = [...new Intl.Segmenter().segment(line)]
  const cut = letters.length > nameLimit
  return { name: cut ? line.slice(0, letters[nameLimit]?.index).trim() : line, cut }
}
