/** What the handbook says about settings is what the code reads. `UPDATE=1` writes its table anew. */
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { answerOf } from '../process.testing.ts'
import { version } from '../version.ts'
import { settings } from './settings.ts'
import { helpText, settingsTable } from './settings-words.ts'

const handbook = new URL('../OPERATING.md', import.meta.url)
const marked = /(<!-- settings:.* -->\n)[\s\S]*?(\n<!-- end of settings -->)/

test('the table of the handbook is the one of the code', () => {
  const text = readFileSync(handbook, 'utf8')
  expect(text).toMatch(marked)
  const anew = text.replace(marked, (_, begin, end) => `${begin}${settingsTable()}${end}`)
  if (process.env.UPDATE) writeFileSync(handbook, anew)
  expect(readFileSync(handbook, 'utf8')).toBe(anew)
})

test('every setting has a name of its own, a meaning and bounds', () => {
  const all = Object.values(settings)
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
  for (const { name, meaning, bounds, otherwise } of all) {
    expect(name).toMatch(/^[A-Z][A-Z0-9_]+$/)
    expect(`${meaning}${bounds}${otherwise}`, name).not.toMatch(/[|\n]/)
    for (const words of [meaning, bounds, otherwise]) expect(words.trim(), name).not.toBe('')
    expect(meaning, name).toMatch(/^[A-Z`].*[^.]$/)
  }
})

test('what a setting is without being set is what the handbook says', () => {
  for (const { name, otherwise, read } of Object.values(settings)) {
    if (otherwise === 'none' || otherwise.startsWith('same host'))
      expect(read(undefined) ?? [], name).toEqual([])
    else expect(read(undefined), name).toEqual(read(otherwise))
  }
})

test('--help says every setting with its default and bounds, and starts nothing', async () => {
  const { code, answer, complaint } = await answerOf(['--help'])
  expect({ code, complaint }).toEqual({ code: 0, complaint: '' })
  expect(answer).toBe(helpText())
  for (const { name, otherwise, bounds } of Object.values(settings)) {
    expect(answer).toContain(`\n  ${name}\n`)
    expect(answer.replace(/\n +/g, ' ')).toContain(bounds)
    expect(answer.replace(/\n +/g, ' ')).toContain(`default ${otherwise}\n`)
  }
  expect(Math.max(...answer.split('\n').map(({ length }) => length))).toBeLessThan(100)
})

test('--version says the version, and an unknown word what there is', async () => {
  expect(await answerOf(['--version'])).toEqual({ code: 0, answer: `${version}\n`, complaint: '' })
  expect(await answerOf(['--port', '80'])).toEqual({
    code: 1,
    answer: '',
    complaint: 'The relay does not understand "--port 80". It understands --help and --version.\n',
  })
})
