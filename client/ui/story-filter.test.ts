import { expect, test } from 'vitest'
import type { StoryView } from '../session/session-view.ts'
import { FakeSession } from '../session/testing.svelte.ts'
import { filterStories } from './story-filter.ts'
import { totalsOf } from './story-totals.ts'

function backlog(): readonly StoryView[] {
  const session = new FakeSession()
  session.addStories([
    { title: 'Café öffnen', key: 'APP-1' },
    { title: '検索を速くする' },
    { title: 'Sign in', key: 'APP-12' },
    { title: 'Sign out' },
  ])
  session.estimate(0, '5')
  session.estimate(2, '5', '8')
  return session.stories
}

const titles = (stories: readonly StoryView[]) => stories.map(({ title }) => title)

test('stories are found by words of title and key, whatever the accents and case', () => {
  expect(titles(filterStories(backlog(), 'cafe', 'all'))).toEqual(['Café öffnen'])
  expect(titles(filterStories(backlog(), 'SIGN in', 'all'))).toEqual(['Sign in'])
  expect(titles(filterStories(backlog(), '検索', 'all'))).toEqual(['検索を速くする'])
  expect(titles(filterStories(backlog(), 'app-1', 'all'))).toEqual(['Café öffnen', 'Sign in'])
})

test('a filter leaves the stories of one state', () => {
  expect(titles(filterStories(backlog(), '', 'estimated'))).toEqual(['Café öffnen'])
  expect(titles(filterStories(backlog(), '', 'conflict'))).toEqual(['Sign in'])
  expect(titles(filterStories(backlog(), '', 'unestimated'))).toEqual(['検索を速くする', 'Sign out'])
})

test('totals count numbers alone, and no conflict', () => {
  const [first, second, ...others] = backlog()
  if (!first || !second) throw new Error('There are four')
  const by = first.estimates[0]?.by
  if (!by) throw new Error('It is estimated')
  const five = { ...first, estimates: [{ card: { label: '5', number: 5 }, by }] }
  const large = { ...second, estimates: [{ card: { label: 'XL' }, by }] }
  expect(totalsOf([five, large, ...others])).toEqual({ settled: 2, sum: 5, withoutNumber: 1 })
})
