// @vitest-environment happy-dom
import { flushSync, mount, unmount } from 'svelte'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { FakeSession, fakePerson } from '../../session/testing.svelte.ts'
import Moments from './moments.svelte'

// This document cannot animate.
beforeEach(() => {
  vi.stubGlobal('matchMedia', (query: string) => ({ matches: query.includes('reduced-motion') }))
})

function open() {
  const session = new FakeSession()
  const bob = fakePerson('bob')
  session.people = [bob]
  const component = mount(Moments, { target: document.body, props: { session, first: [] } })
  onTestFinished(() => void unmount(component))
  flushSync()
  return { session, bob }
}

test('the same reaction again is said again', () => {
  const { session, bob } = open()
  const said = () => document.querySelector('[aria-live] *')
  const heard = [1, 2].map(() => {
    session.happen({ kind: 'reaction', by: bob.id, emoji: '🎉' })
    flushSync()
    return said()
  })
  expect(heard.map((element) => element?.textContent)).toEqual(['bob reacted with 🎉', 'bob reacted with 🎉'])
  expect(heard[0]).not.toBe(heard[1])
})

test('whoever is nudged again by the same person is told again', () => {
  const { session, bob } = open()
  const told = [1, 2].map(() => {
    session.happen({ kind: 'nudge', by: bob.id })
    flushSync()
    return [...document.querySelectorAll('[role=status]')].at(-1)
  })
  expect(told[1]?.textContent).toContain('bob')
  expect(told[0]).not.toBe(told[1])
})
