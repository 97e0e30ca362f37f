import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { NewStory } from '../../shared/document.ts'
import { guessColumns } from './columns.ts'
import { decodeText } from './decode.ts'
import { toStories } from './stories.ts'
import { readTable } from './table.ts'

interface Expected {
  readonly language: string
  readonly encoding?: string
  readonly separator?: string
  readonly stories: readonly NewStory[]
  readonly problems: readonly { readonly line: number; readonly kind: string }[]
}

const folder = new URL('corpus/', import.meta.url)
const expected: Record<string, Expected> = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8'))

test.each(Object.entries(expected))('%s is read as it was meant', async (name, file) => {
  const { text, encoding } = decodeText(readFileSync(new URL(name, folder)), file.language)
  if (file.encoding) expect(encoding).toBe(file.encoding)
  const table = await readTable(text)
  if (file.separator) expect(table.separator).toBe(file.separator)
  const { stories, problems } = toStories(table.rows, guessColumns(table.header, table.rows))
  expect(stories).toEqual(file.stories)
  const told = [...table.problems, ...problems].map(({ line, kind }) => ({ line, kind }))
  expect(told).toEqual(file.problems)
})

test('every file of the corpus has an expectation', () => {
  const files = readdirSync(folder).filter((name) => name !== 'expected.json')
  expect(files.sort()).toEqual(Object.keys(expected).sort())
  expect(files.length).toBeGreaterThanOrEqual(40)
})
