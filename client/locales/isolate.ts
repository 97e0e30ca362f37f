const rightToLeft = /[\u0590-\u08ff\u200f\ufb1d-\ufefc]/
/** Fractions count too: `1½` after an Arabic word would be read as ½1. So do percents, which carry a mark of theirs. */
const leftToRight = /(?![\u0590-\u08ff\ufb1d-\ufefc])[\p{L}\p{No}\u200e]/u
/** What was isolated already, and whatever else turns letters around: some of it beyond the end of the name. */
const turned = /(\u2068[^\u202a-\u202e\u2066-\u2069]*\u2069)|[\u202a-\u202e\u2066-\u2069]/g

/** Keeps a name from reordering the sentence around it: one written the other way, or with characters that turn what follows. */
export function isolate(name: string, direction: 'ltr' | 'rtl'): string {
  const own = name.replace(turned, '$1')
  return (direction === 'rtl' ? leftToRight : rightToLeft).test(own.replace(turned, ''))
    ? `\u2068${own}\u2069`
    : own
}
