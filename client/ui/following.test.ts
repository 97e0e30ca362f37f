// @vitest-environment happy-dom
import { beforeEach, expect, test } from 'vitest'
import { FakeSession } from '../session/testing.svelte.ts'
import { followingStory } from './following.ts'

let session: FakeSession

beforeEach(() => {
  session = new FakeSession()
  session.addStories([{ title: 'Sign in' }, { title: 'Sign out' }, { title: 'Sign up' }])
})

function following(): string | undefined {
  if (!session.table) throw new Error('There is no table')
  return followingStory(session, session.table)?.title
}

function story(at: number) {
  const found = session.stories[at]
  if (!found) throw new Error(`There is no story ${at}`)
  return found.id
}

test('the team goes on to the next story without an estimate, and from the last to the first', () => {
  session.begin({ story: story(0) })
  session.estimate(1, '5')
  expect(following()).toBe('Sign up')
  session.begin({ story: story(2) })
  expect(following()).toBe('Sign in')
  session.estimate(0, '3')
  expect(following()).toBeUndefined()
})

test('on her own, alice goes on to the next story that waits for her vote', () => {
  session.begin({ story: story(2) })
  session.look(story(0))
  expect(following()).toBeUndefined()
  session.openStories([story(1), story(2)])
  session.changeStory(story(1), { votedMyself: true })
  expect(following()).toBe('Sign up')
})
