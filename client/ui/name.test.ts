import { expect, test } from 'vitest'
import { nameLimit, parseName } from './name.ts'

test('a name is one line without spaces around it', () => {
  expect(parseName('  Ana \n Maria ')).toEqual({ name: 'Ana Maria', cut: false })
})

test('500 pasted characters are cut to the limit, never through the middle of one', () => {
  const family = '👩‍👩‍👧'
  expect(parseName(family.repeat(500))).toEqual({ name: family.repeat(nameLimit), cut: true })
})

test('80 characters are not too many', () => {
  expect(parseName('é'.repeat(80)).cut).toBe(false)
})
