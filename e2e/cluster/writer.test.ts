import { expect, test } from 'vitest'
import { neverTold } from './writer.ts'

test('a run proves nothing of what no writer was ever told', () => {
  expect(neverTold([])).toEqual(['saved', 'savedTwice'])
  expect(neverTold(['sent', 'sent'])).toEqual(['saved', 'savedTwice'])
  expect(neverTold(['sent', 'saved'])).toEqual(['savedTwice'])
  expect(neverTold(['sent', 'savedTwice'])).toEqual([])
})
