import { expect, test } from 'vitest'
import { detectLanguage, formatsFor } from './detect.ts'
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

test('numbers and times are written as in the region somebody has', () => {
  expect(formatsFor('en', ['de-AT', 'en-GB', 'en'])).toBe('en-GB-u-nu-latn')
  expect(formatsFor('pt-BR', ['pt-PT'])).toBe('pt-PT-u-nu-latn')
  expect(formatsFor('ar', ['ar-EG'])).toBe('ar-EG-u-nu-latn')
})

test('a language chosen by hand is written as where it comes from', () => {
  expect(formatsFor('fr', ['de-CH', 'en-GB'])).toBe('fr-u-nu-latn')
  expect(formatsFor('zh-Hans', ['zh-TW', 'zh-SG'])).toBe('zh-SG-u-nu-latn')
  expect(formatsFor('en', ['en-US@posix'])).toBe('en-u-nu-latn')
  expect(formatsFor('ja', [])).toBe('ja-u-nu-latn')
})

test('another script is another language to whoever writes it', () => {
  expect(formatsFor('en', ['en-Shaw', 'en-NZ'])).toBe('en-NZ-u-nu-latn')
  expect(formatsFor('zh-Hans', ['zh', 'zh-Hant-HK'])).toBe('zh-u-nu-latn')
  expect(formatsFor('de', ['DE-at'])).toBe('de-AT-u-nu-latn')
})
