import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const text = readFileSync('SECURITY.md', 'utf8')
const [, section = ''] = text.split('\n## Each threat, and its test\n')
const rows = (section.split('\n## ')[0] ?? '')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line) => line.split(' | '))

test('every threat has an answer, and names a test that there is', () => {
  expect(rows.length).toBeGreaterThan(20)
  for (const [threat = '', answer = '', shown = '', ...more] of rows) {
    expect(answer, threat).not.toBe('')
    expect(more, threat).toEqual([])
    expect(pathsIn(shown).filter(isTest).length, threat).toBeGreaterThan(0)
  }
})

test('whatever path is named is there', () => {
  const paths = pathsIn(text)
  expect(paths.length).toBeGreaterThan(50)
  expect(paths.filter((path) => !existsSync(path))).toEqual([])
})

function pathsIn(words: string): string[] {
  return [...words.matchAll(/`((?:client|e2e|relay|shared)\/[^`\s]+)`/g)].flatMap(([, path]) => path ?? [])
}

function isTest(path: string): boolean {
  return /\.(test|spec)\.ts$/.test(path)
}
