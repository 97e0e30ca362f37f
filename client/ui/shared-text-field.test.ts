// @vitest-environment happy-dom
import { flushSync, mount, unmount } from 'svelte'
import { expect, onTestFinished, test } from 'vitest'
import * as Y from 'yjs'
import SharedTextField from './shared-text-field.svelte'

function open(start: string): { text: Y.Text; field: HTMLTextAreaElement } {
  const text = new Y.Doc().getText()
  text.insert(0, start)
  const component = mount(SharedTextField, {
    target: document.body,
    props: { text, fallback: '', label: 'Title' },
  })
  onTestFinished(() => void unmount(component))
  flushSync()
  const field = document.querySelector('textarea')
  if (!field) throw new Error('There is no field')
  return { text, field }
}

function type(field: HTMLTextAreaElement, value: string): void {
  field.value = value
  field.dispatchEvent(new Event('input', { bubbles: true }))
  flushSync()
}

test('typing changes only the letters that were typed', () => {
  const { text, field } = open('Sign in')
  const steps: unknown[] = []
  text.observe((event) => steps.push(event.delta))
  type(field, 'Sign me in')
  expect(text.toString()).toBe('Sign me in')
  expect(steps).toEqual([[{ retain: 5 }, { insert: 'me ' }]])
})

test('the caret stays where it was when somebody else writes before it', () => {
  const { text, field } = open('Sign in')
  field.focus()
  field.setSelectionRange(4, 7)
  text.insert(0, 'Please ')
  flushSync()
  expect(field.value).toBe('Please Sign in')
  expect([field.selectionStart, field.selectionEnd]).toEqual([11, 14])
})

test('what an input method composes meets what others wrote meanwhile', () => {
  const { text, field } = open('Sign in')
  field.dispatchEvent(new Event('compositionstart', { bubbles: true }))
  type(field, 'Sign in 日本')
  text.insert(0, 'Please ')
  expect(field.value).toBe('Sign in 日本')
  field.dispatchEvent(new Event('compositionend', { bubbles: true }))
  flushSync()
  expect(text.toString()).toBe('Please Sign in 日本')
  expect(field.value).toBe('Please Sign in 日本')
})

test('pasted lines become one', () => {
  const { text, field } = open('')
  type(field, 'one\ntwo')
  expect(text.toString()).toBe('one two')
})
