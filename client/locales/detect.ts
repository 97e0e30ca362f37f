import type { LanguageCode } from './languages.ts'

/** The first language somebody prefers that is offered: itself, or another variety of it, as `pt-BR` for `pt`. */
export function detectLanguage(
  preferred: readonly string[],
  offered: readonly { readonly code: LanguageCode }[],
): LanguageCode {
  for (const tag of preferred) {
    const found =
      offered.find(({ code }) => code.toLowerCase() === tag.toLowerCase()) ??
      offered.find(({ code }) => base(code) === base(tag))
    if (found) return found.code
  }
  return 'en'
}

/** What `Intl` writes numbers, lists and times by: as in the region of somebody who prefers a variety of the language. */
export function formatsFor(code: LanguageCode, preferred: readonly string[]): string {
  const own = preferred.find((tag) => wellFormed.test(tag) && written(tag) === written(code))
  // The digits on the cards are Latin, so all the others are too.
  return new Intl.Locale(own ?? code, { numberingSystem: 'latn' }).toString()
}

/** Some systems name theirs `en-US@posix`, which `Intl` refuses. */
const wellFormed = /^[a-z]{2,3}(-[a-z\d]{2,8})*$/i

/** A language in its script, as `zh-Hant` for `zh-TW`. */
function written(tag: string): string {
  const { language, script } = new Intl.Locale(tag).maximize()
  return `${language}-${script}`
}

function base(tag: string): string {
  return tag.toLowerCase().split('-')[0] ?? ''
}
