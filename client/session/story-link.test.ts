import { expect, test } from 'vitest'
import { linkFromTemplate, parseLink } from './story-link.ts'

test('http and https become links', () => {
  expect(parseLink(' https://tracker.example/browse/A-1 ')).toBe('https://tracker.example/browse/A-1')
  expect(parseLink('HTTP://tracker.example')).toBe('http://tracker.example/')
})

test.each([
  'javascript:alert(1)',
  ' javascript:alert(1)',
  'java\nscript:alert(1)',
  'data:text/html,<script>',
  'vbscript:x',
  'file:///etc/passwd',
  '//tracker.example',
  'tracker.example',
  'https://',
  '',
])('%j becomes none', (text) => {
  expect(parseLink(text)).toBeUndefined()
})

test('a template takes the key, escaped', () => {
  const template = 'https://tracker.example/browse/{key}?again={key}'
  expect(linkFromTemplate(template, 'A/1 2')).toBe('https://tracker.example/browse/A%2F1%202?again=A%2F1%202')
  expect(linkFromTemplate(template, '')).toBeUndefined()
  expect(linkFromTemplate('https://tracker.example/', 'A-1')).toBeUndefined()
  expect(linkFromTemplate('javascript:{key}', 'alert(1)')).toBeUndefined()
  expect(linkFromTemplate('{key}', 'javascript:alert(1)')).toBeUndefined()
})

test('half a character in a key is no reason to fail', () => {
  const template = 'https://tracker.example/browse/{key}'
  expect(linkFromTemplate(template, 'APP-\ud83d')).toBe('https://tracker.example/browse/APP-%EF%BF%BD')
  expect(linkFromTemplate(template, "$&$'1")).toBe("https://tracker.example/browse/%24%26%24'1")
})
