export const nameLimit = 80
/** As `recordLimits` has it. Letters of some scripts, and emoji of several people, take many bytes each. */
const nameBytes = 320

/** A name as others will see it, and accept it: one line, no longer than the limits. `cut` tells whether something was left out. */
export function parseName(text: string): { readonly name: string; readonly cut: boolean } {
  const line = text.replace(/\s+/g, ' ').trim()
  const letters = Array.from(new Intl.Segmenter().segment(line), ({ segment }) => segment).slice(0, nameLimit)
  while (new Blob(letters).size > nameBytes) letters.pop()
  const name = letters.join('')
  return { name: name.trim(), cut: name !== line }
}
