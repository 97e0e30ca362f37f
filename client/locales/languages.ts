/** Every language Facedown is meant for. One without catalogs is not offered: adding its folder is enough. */
export const languages = [
  { code: 'en', name: 'English', direction: 'ltr' },
  { code: 'de', name: 'Deutsch', direction: 'ltr' },
  { code: 'fr', name: 'Français', direction: 'ltr' },
  { code: 'es', name: 'Español', direction: 'ltr' },
  { code: 'pt-BR', name: 'Português (Brasil)', direction: 'ltr' },
  { code: 'ja', name: '日本語', direction: 'ltr' },
  { code: 'zh-Hans', name: '简体中文', direction: 'ltr' },
  { code: 'ar', name: 'العربية', direction: 'rtl' },
] as const satisfies readonly Language[]

export type LanguageCode = (typeof languages)[number]['code']

export interface Language {
  readonly code: string
  /** What the people who speak it call it. */
  readonly name: string
  readonly direction: 'ltr' | 'rtl'
}
