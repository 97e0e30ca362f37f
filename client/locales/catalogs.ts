import { type LanguageCode, languages } from './languages.ts'
import type { Message } from './say.ts'

/** `table`: what the home page and the table say. `panels`: what is opened later. */
export type Part = 'table' | 'panels'

type Messages = Readonly<Record<string, Message>>
type Loader = () => Promise<Messages>

const tables = import.meta.glob<Messages>(['./*/table.json', '!./en/table.json'], { import: 'default' })
const panels = import.meta.glob<Messages>('./*/panels.json', { import: 'default' })
const english = import.meta.glob<Messages>('./en/table.json', { import: 'default', eager: true })

/** Part of the app itself, so that there are always words. */
export const englishTable: Messages = { ...english['./en/table.json'] }

/** The languages that can be chosen. */
export const available: readonly (typeof languages)[number][] = languages.filter(
  ({ code }) => code === 'en' || tables[`./${code}/table.json`],
)

export async function loadCatalog(language: LanguageCode, part: Part): Promise<Messages> {
  if (language === 'en' && part === 'table') return englishTable
  const load: Loader | undefined = (part === 'table' ? tables : panels)[`./${language}/${part}.json`]
  return load ? load() : {}
}
