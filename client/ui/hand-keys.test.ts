import { expect, test } from 'vitest'
import { decks } from '../../shared/deck.ts'
import { spellings, type } from './hand-keys.ts'

const [fibonacci = [], modified = [], shirts = []] = decks.map((deck) => deck.cards)

test('a digit that only one card has chooses it at once', () => {
  expect(type(fibonacci, '', '8')).toEqual({ rest: '', card: 5 })
})

test('1 waits, because it may become 13', () => {
  expect(type(fibonacci, '', '1')).toEqual({ rest: '1', card: 1 })
  expect(type(fibonacci, '1', '3')).toEqual({ rest: '', card: 6 })
})

test('a key that does not continue starts anew', () => {
  expect(type(fibonacci, '1', '8')).toEqual({ rest: '', card: 5 })
})

test('letters choose sizes, whatever their case', () => {
  expect(type(shirts, '', 'x')).toEqual({ rest: 'x' })
  expect(type(shirts, 'x', 'L')).toEqual({ rest: '', card: 4 })
})

test('a half is typed as its number', () => {
  expect(type(modified, '0.', '5')).toEqual({ rest: '', card: 1 })
})

test('a key no card has means nothing', () => {
  expect(type(fibonacci, '', 'k')).toEqual({ rest: '' })
})

test.each([
  ['a Latin letter, Caps Lock or not', { key: 'R', code: 'KeyR' }, ['r']],
  ['where a German keyboard has it', { key: 'z', code: 'KeyY' }, ['z']],
  ['the place of R on an Arabic keyboard', { key: 'ق', code: 'KeyR' }, ['ق', 'r']],
  ['a digit of an Arabic keyboard', { key: '٣', code: 'Digit3' }, ['٣', '3']],
  ['a digit that needs Shift in France', { key: '&', code: 'Digit1' }, ['&', '1']],
  ['the same with Shift', { key: '1', code: 'Digit1', shiftKey: true }, ['1']],
  ['what others have there with Shift', { key: '!', code: 'Digit1', shiftKey: true }, ['!']],
  ['a question mark in the place of M', { key: '?', code: 'KeyM', shiftKey: true }, ['?']],
] as const)('a key is %s', (_, pressed, expected) => {
  expect(spellings({ shiftKey: false, ...pressed })).toEqual(expected)
})
