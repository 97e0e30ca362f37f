import { recordLimits } from '../../shared/record.ts'

export const nameLimit = 80

/**
 * A name as others will see it, and accept it: one line that turns no letters around, no longer than the limits. `cutTo` says how many letters are left if it was longer:
 * those of some scripts, and emoji of several people, take many bytes each.
 */
export function parseName(text: string): { readonly name: string; readonly cutTo?: number } {
  const line = text.replace(/[\s\u202a-\u202e\u2066-\u2069]+/g, ' ').trim()
  const letters = Array.from(new Intl.Segmenter().segment(line), ({ segment }) => segment).slice(0, nameLimit)
  while (new Blob(letters).size > recordLimits.name) letters.pop()
  const name = letters.join('')
  return name === line ? { name } : { name: name.trim(), cutTo: letters.length }
}
