import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Catalog, messageTypes, needs, readCatalog, translated } from './catalogs.testing.ts'
import { languages } from './languages.ts'
import { sentencesIn } from './spoken.testing.ts'

const parts = ['table', 'panels'] as const
const client = new URL('../', import.meta.url).pathname
const sources = readdirSync(client, { recursive: true, encoding: 'utf8' }).filter(
  (file) =>
    /\.(svelte|ts)$/.test(file) &&
    !/^(locales|node_modules)\//.test(file) &&
    !/\.(test|testing)(\.svelte)?\.ts$/.test(file),
)
const english: Catalog = { ...readCatalog('en', 'table'), ...readCatalog('en', 'panels') }

/**
 * The French, the Spanish and the Brazilians have a plural of its own for whole millions ("un million *de* votes"),
 * which no session has: for them "other" says it.
 */
const millions = ['fr', 'es', 'pt-BR']

describe.each(translated)('%s', (language) => {
  test.each(parts)('is one of the languages and says in %s what English says', (part) => {
    expect(languages.map(({ code }) => code)).toContain(language)
    expect(Object.keys(readCatalog(language, part))).toEqual(Object.keys(readCatalog('en', part)))
  })

  test.each(parts)('fills every sentence of %s with the same values as English', (part) => {
    for (const [key, message] of Object.entries(readCatalog(language, part))) {
      expect(message.trim(), key).not.toBe('')
      const values = [...needs(message).values].sort()
      expect(values, `${key}: ${message}`).toEqual([...needs(english[key] ?? '').values].sort())
    }
  })

  test.each(parts)('has a form for every number in %s', (part) => {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions()
    const forms = pluralCategories.filter((form) => form !== 'many' || !millions.includes(language))
    for (const [key, message] of Object.entries(readCatalog(language, part))) {
      for (const cases of needs(message).plurals) expect(cases, key).toEqual(expect.arrayContaining(forms))
    }
  })
})

test('no sentence is in two parts', () => {
  const [table, panels] = parts.map((part) => Object.keys(readCatalog('en', part)))
  expect(table?.filter((key) => panels?.includes(key))).toEqual([])
})

test('the types of the messages are those of the English catalogs', () => {
  const path = new URL('./messages.ts', import.meta.url)
  const types = messageTypes(english)
  if (process.env.UPDATE) writeFileSync(path, types)
  expect(readFileSync(path, 'utf8')).toBe(types)
})

test('every sentence is said somewhere, under its whole key', () => {
  const code = sources.map((file) => readFileSync(client + file, 'utf8')).join('\n')
  expect(Object.keys(english).filter((key) => !code.includes(`'${key}'`))).toEqual([])
})

test('every sentence a component says is in the catalogs', () => {
  const components = sources.filter((file) => file.endsWith('.svelte'))
  expect(components.length).toBeGreaterThan(30)
  const said = components.map((file) => [file, sentencesIn(readFileSync(client + file, 'utf8'))] as const)
  expect(said.filter(([, sentences]) => sentences.length > 0)).toEqual([])
})

test('a sentence runs as its language does, even when it begins with a name that runs the other way', () => {
  const wrong = sources.filter((file) =>
    /(dir="auto"[^>]*|<bdi)>\{(t|list)\(/.test(readFileSync(client + file, 'utf8')),
  )
  expect(wrong).toEqual([])
})

test('a sentence in a component is found wherever it is said', () => {
  const found = sentencesIn(`
    <script lang="ts">const said = t('home.title')</script>
    <p class="words" lang="en" style:--x="{said}px">{said} · Hello <b>there</b></p>
    {#if said === 'no'}<input placeholder="Name" aria-label={said ? 'Yes' : \`No \${said}\`} />{/if}
    {#each [1] as one (one)}{t('home.text')}<Dialog title="Keys" kind="quiet" end="The end">{said || 'nothing'}</Dialog>{/each}
    <style>p { color: red }</style>`)
  expect(found).toEqual(['· Hello', 'there', 'Name', 'Yes', 'No', 'The end', 'Keys', 'nothing'])
})
