const rightToLeft = /[\u0590-\u08ff\u202a-\u202e\ufb1d-\ufefc]/
/** Fractions count too: `1½` after an Arabic word would be read as ½1. So do percents, which carry a mark of theirs. */
const leftToRight = /(?![\u0590-\u08ff\ufb1d-\ufefc])[\p{L}\p{No}\u200e\u202a-\u202e]/u

/** Keeps a name written the other way from reordering the sentence around it. */
export function isolate(name: string, direction: 'ltr' | 'rtl'): string {
  if (name.includes('\u2068')) return name
  return (direction === 'rtl' ? leftToRight : rightToLeft).test(name) ? `\u2068${name}\u2069` : name
}
