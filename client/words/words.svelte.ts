/** What the interface says, in the language that is in use. */
import { available, englishTable, loadCatalog, type Part } from '../locales/catalogs.ts'
import { detectLanguage as detect, formatsFor } from '../locales/detect.ts'
import { isolate } from '../locales/isolate.ts'
import type { Language, LanguageCode } from '../locales/languages.ts'
import type { Messages } from '../locales/messages.ts'
import { type Counting, type Message, say } from '../locales/say.ts'

export const product = 'Facedown'

type Values<Key extends keyof Messages> = Messages[Key] extends undefined ? [] : [values: Messages[Key]]
type Active = Language & {
  readonly code: LanguageCode
  /** What `Intl` calls it, with the region of whoever reads. */
  readonly formats: string
}

/** What is said, by language. */
const said: Partial<Record<LanguageCode, Readonly<Record<string, Message>>>> = { en: englishTable }
/** Replaced with every change of the words, so that everything that says something says it anew. */
let active = $state.raw<Active>({ code: 'en', name: 'English', direction: 'ltr', formats: 'en' })
let wanted: LanguageCode = 'en'
let panelsWanted = false
const loading = new Map<string, Promise<void>>()

/** A sentence. It is empty while the words of the panels are on their way. */
export function t<Key extends keyof Messages>(key: Key, ...[values]: Values<Key>): string {
  const { direction } = active
  const safe: Record<string, unknown> = { ...values }
  for (const name in safe) {
    const value = safe[name]
    if (typeof value === 'string') safe[name] = isolate(value, direction)
  }
  const message = said[active.code]?.[key]
  return message ? say(message, safe, counting()) : fetchPanels()
}

let made: (Counting & { readonly tag: string }) | undefined

/** Most numbers are small, and all languages write those alike: a browser takes 30 ms to be able to write others. */
function counting(): Counting {
  const { code, formats: tag } = active
  if (made?.tag === tag) return made
  const rules = new Intl.PluralRules(code)
  let numbers: Intl.NumberFormat | undefined
  made = {
    tag,
    plural: (value) => rules.select(value),
    number(value) {
      if (Number.isInteger(value) && value >= 0 && value < 1000) return String(value)
      numbers ??= new Intl.NumberFormat(tag)
      return numbers.format(value)
    },
  }
  return made
}

/** The language in use. */
export function language(): Active {
  return active
}

/** The best of the languages that exist, such as for `navigator.languages`. */
export function detectLanguage(preferred: readonly string[]): LanguageCode {
  return detect(preferred, available)
}

/** The language a text names, if it can be used. */
export function parseLanguage(text: string | undefined): LanguageCode | undefined {
  return available.find(({ code }) => code === text)?.code
}

/** Changes every sentence on the page. Rejects when the words cannot be fetched; then everything stays as it is. */
export async function useLanguage(code: LanguageCode): Promise<void> {
  wanted = code
  await Promise.all([load(code, 'table'), panelsWanted && load(code, 'panels')])
  const found = available.find((each) => each.code === code)
  if (!found || wanted !== code) return
  const formats = formatsFor(code, navigator.languages)
  active = { ...found, formats }
  document.documentElement.lang = code
  document.documentElement.dir = found.direction
}

/** Fetches what the panels say; await it before one is shown. */
export async function panelWords(): Promise<void> {
  panelsWanted = true
  try {
    await load(active.code, 'panels')
  } catch (error) {
    panelsWanted = false
    throw error
  }
}

function load(code: LanguageCode, part: Part): Promise<void> {
  const name = `${code}/${part}`
  const begun = loading.get(name) ?? fetchInto(code, part)
  loading.set(name, begun)
  begun.catch(() => loading.delete(name))
  return begun
}

async function fetchInto(code: LanguageCode, part: Part): Promise<void> {
  const more = await loadCatalog(code, part)
  said[code] = { ...said[code], ...more }
  if (code === active.code) active = { ...active }
}

function fetchPanels(): string {
  if (!panelsWanted) panelWords().catch(() => {}) // offline: the next panel asks again
  return ''
}
