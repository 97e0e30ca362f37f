/** What this person prefers on this device: appearance, language, sounds, keys. */

import type { LanguageCode } from '../locales/languages.ts'
import { detectLanguage, language, parseLanguage, useLanguage } from '../words/words.svelte.ts'
import { keepPreference, preference } from './device.ts'

const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

class Preferences {
  #theme = $state<Theme>('system')
  #sound = $state(false)
  #singleKeys = $state(true)

  get theme(): Theme {
    return this.#theme
  }

  set theme(theme: Theme) {
    this.#theme = theme
    keepPreference('theme', theme)
    this.#show()
  }

  /** Off until somebody switches it on: a team in one room has many devices. */
  get sound(): boolean {
    return this.#sound
  }

  set sound(on: boolean) {
    this.#sound = on
    keepPreference('sound', on ? 'on' : 'off')
  }

  /** Whether a key does something on its own (WCAG 2.1.4): a voice that is taken for keys would reveal. */
  get singleKeys(): boolean {
    return this.#singleKeys
  }

  set singleKeys(on: boolean) {
    this.#singleKeys = on
    keepPreference('singleKeys', on ? 'on' : 'off')
  }

  get language(): LanguageCode {
    return language().code
  }

  /** Rejects when the words cannot be fetched; then everything stays as it is. */
  async speak(code: LanguageCode): Promise<void> {
    await useLanguage(code)
    keepPreference('language', code)
  }

  /** Takes over what was chosen at an earlier visit. */
  async load(preferred: readonly string[]): Promise<void> {
    this.#theme = themes.find((theme) => theme === preference('theme')) ?? 'system'
    this.#sound = preference('sound') === 'on'
    this.#singleKeys = preference('singleKeys') !== 'off'
    this.#show()
    await useLanguage(parseLanguage(preference('language')) ?? detectLanguage(preferred))
  }

  #show(): void {
    const root = document.documentElement
    if (this.#theme === 'system') root.removeAttribute('data-theme')
    else root.setAttribute('data-theme', this.#theme)
  }
}

export const preferences = new Preferences()
