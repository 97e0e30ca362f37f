/** The catalogs as they are written, and what the code may pass to their messages. */
import { readdirSync, readFileSync } from 'node:fs'
import { type CompiledMessage, compileMessageOrThrow } from '@lingui/message-utils/compileMessage'

export type Catalog = Readonly<Record<string, string>>

/** The cases of one `plural` in a message, such as `=0`, `one` and `other`. */
export type Cases = readonly string[]

const folder = new URL('./', import.meta.url)

/** The languages there are catalogs of. */
export const translated: readonly string[] = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

export function readCatalog(language: string, part: 'table' | 'panels'): Catalog {
  return JSON.parse(readFileSync(new URL(`${language}/${part}.json`, folder), 'utf8'))
}

/** The names a message asks for, each with the type of its value, and the cases of its plurals. */
export function needs(message: string): { values: Map<string, 'string' | 'number'>; plurals: Cases[] } {
  const values = new Map<string, 'string' | 'number'>()
  const plurals: Cases[] = []
  function look(tokens: CompiledMessage): void {
    for (const token of tokens) {
      if (typeof token === 'string') continue
      const [name, type, format] = token
      const counts = type !== undefined && type !== 'select'
      if (counts || !values.has(name)) values.set(name, counts ? 'number' : 'string')
      if (typeof format !== 'object' || format === null) continue
      const { offset: _, ...cases } = format as Record<string, CompiledMessage>
      if (type === 'plural') plurals.push(Object.keys(cases))
      for (const inside of Object.values(cases)) look(inside)
    }
  }
  look(compileMessageOrThrow(message))
  return { values, plurals }
}

/** The text of `messages.ts`. */
export function messageTypes(catalog: Catalog): string {
  const lines = Object.entries(catalog).map(([key, message]) => {
    const values = [...needs(message).values].map(([name, type]) => `${name}: ${type}`)
    return `  '${key}': ${values.length > 0 ? `{ ${values.join('; ')} }` : 'undefined'}\n`
  })
  return `/** Made from the English catalogs by \`UPDATE=1 npx vitest run --project client locales\`. */
export interface Messages {
${lines.join('')}}
`
}
