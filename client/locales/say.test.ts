import { expect, test } from 'vitest'
import { type Counting, type Message, say } from './say.ts'

const counting: Counting = {
  number: (value) => `<${value}>`,
  plural: (value) => (value === 1 ? 'one' : 'other'),
}
const stories: Message = [
  ['name'],
  ' has ',
  ['count', 'plural', { 0: ['none'], one: ['one, #'], other: ['#', ' of ', ['of', 'number']] }],
  ' #',
  '#',
]

test('a number is said as the case it asks for, and stands where the sign for it is', () => {
  const told = [0, 1, 7].map((count) => say(stories, { name: 'alice', count, of: 9 }, counting))
  expect(told).toEqual(['alice has none ##', 'alice has one, # ##', 'alice has <7> of <9> ##'])
})

test('what people wrote is no message', () => {
  const name = String.raw`\u0041 {count, number} # <b>'`
  expect(say([['name'], ' is here'], { name }, counting)).toBe(`${name} is here`)
})

test('without its own case a number takes the last one', () => {
  const few: Counting = { ...counting, plural: () => 'few' }
  expect(say([['count', 'plural', { other: ['#', ' votes'] }]], { count: 3 }, few)).toBe('<3> votes')
})
