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

function base(tag: string): string {
  return tag.toLowerCase().split('-')[0] ?? ''
}
