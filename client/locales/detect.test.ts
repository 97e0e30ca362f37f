import { expect, test } from 'vitest'
import { detectLanguage } from './detect.ts'
import { languages } from './languages.ts'

const [english, german] = languages

test('alice gets the first of her languages that exists', () => {
  expect(detectLanguage(['nl', 'de-AT', 'en'], languages)).toBe('de')
  expect(detectLanguage(['ja'], languages)).toBe('ja')
})

test('another variety of a language is better than another language', () => {
  expect(detectLanguage(['pt', 'en'], languages)).toBe('pt-BR')
  expect(detectLanguage(['pt-PT'], languages)).toBe('pt-BR')
  expect(detectLanguage(['zh-TW', 'ja'], languages)).toBe('zh-Hans')
  expect(detectLanguage(['zh-CN'], languages)).toBe('zh-Hans')
})

test('bob gets English when none of his languages is offered', () => {
  expect(detectLanguage(['nl', 'cs'], languages)).toBe('en')
  expect(detectLanguage(['fr'], [english, german])).toBe('en')
  expect(detectLanguage([], languages)).toBe('en')
})
