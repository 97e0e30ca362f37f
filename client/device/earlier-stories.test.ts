// @vitest-environment happy-dom
import { beforeEach, expect, test } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import { forgetSession, keepSession } from './device.ts'
import { forgetEstimatesOfOthers, storiesWith } from './earlier-stories.ts'
import { rememberEstimates } from './estimate-memory.ts'

const [older, newer] = [createSessionKeys(), createSessionKeys()]

beforeEach(() => {
  localStorage.clear()
  keepSession(older, 1, 'Sprint 1')
  keepSession(newer, 2, 'Sprint 2')
})

test('earlier stories with a card are found across sessions, the latest session first', () => {
  rememberEstimates(older.session, [{ label: '5', title: 'Sign in' }])
  rememberEstimates(newer.session, [
    { label: '5', title: 'Search' },
    { label: '8', title: 'Export' },
  ])
  expect(storiesWith('5')).toEqual([
    { title: 'Search', session: 'Sprint 2' },
    { title: 'Sign in', session: 'Sprint 1' },
  ])
  expect(storiesWith('13')).toEqual([])
})

test('of a session that was removed from the device nothing is remembered', () => {
  rememberEstimates(older.session, [{ label: '5', title: 'Sign in' }])
  forgetSession(older.session)
  expect(storiesWith('5')).toEqual([])
  forgetEstimatesOfOthers()
  expect(Object.values(localStorage).join()).not.toContain('Sign in')
})

test('whatever lies in the storage is read without harm', () => {
  for (const text of ['{', 'null', '[1,[2,3],["5"]]', '{"a":1}']) {
    localStorage.setItem(`facedown.estimates.${older.session}`, text)
    expect(storiesWith('5')).toEqual([])
  }
})
