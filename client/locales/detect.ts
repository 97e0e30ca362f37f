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
  const own = preferred.find(
    (tag) => wellFormed.test(tag) && base(tag) === base(code) && sameScript(tag, code),
  )
  // The digits on the cards are Latin, so all the others are too.
  return `${Intl.getCanonicalLocales(own ?? code)[0]}-u-nu-latn`
}

/** Some systems name theirs `en-US@posix`, which `Intl` refuses. */
const wellFormed = /^[a-z]{2,3}(-[a-z\d]{2,8})*$/i
/** Of the languages there are, only Chinese has a script that follows from the region. */
const usualScript = /^(?!zh)[a-z]+(-[a-z]{2})?$/i

/** Whether they are written alike, as `zh-TW` and `zh-Hant`. Browsers take their time to say it, so it is asked only when in doubt. */
function sameScript(tag: string, code: string): boolean {
  return (usualScript.test(tag) && usualScript.test(code)) || script(tag) === script(code)
}

function script(tag: string): string | undefined {
  return new Intl.Locale(tag).maximize().script
}

function base(tag: string): string {
  return tag.toLowerCase().split('-')[0] ?? ''
}
