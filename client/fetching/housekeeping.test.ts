// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { Current } from '../app.svelte'
import type { SavedView } from '../session/session-view.ts'
import { FakeSession } from '../session/testing.svelte.ts'
import type { Visit } from '../visit/visit.svelte.ts'
import { keepHouse } from './housekeeping.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const saved: SavedView = { device: 'saved', relay: { state: 'connected' }, waiting: 0, same: true }
const unkept: SavedView = { ...saved, device: { failed: 'unavailable' } }

/** Whether the browser asks before the page is left. */
function asks(current: Current): boolean {
  const added: [string, EventListener][] = []
  const add = vi.spyOn(globalThis, 'addEventListener').mockImplementation((type, listener) => {
    added.push([type, listener as EventListener])
  })
  keepHouse('https://host.example/', { current } as Visit)
  add.mockRestore()
  const event = new Event('beforeunload', { cancelable: true })
  for (const [type, listener] of added) if (type === event.type) listener(event)
  return event.defaultPrevented
}

function session(view: SavedView): Current {
  const fake = new FakeSession()
  fake.saved = view
  return { page: 'session', session: fake } as Current
}

test.each([
  ['changes are neither on this device nor at the relay', { ...unkept, waiting: 1 }, true],
  ['changes are on this device', { ...saved, waiting: 1 }, false],
  ['changes are at the relay', unkept, false],
])('who leaves while %s: asked %s', (_, view, isAsked) => {
  expect(asks(session(view))).toBe(isAsked)
})

test('nobody is asked who leaves home', () => {
  expect(asks({ page: 'home' })).toBe(false)
})

test.each([
  ['changes are kept nowhere', { ...unkept, waiting: 1 }, true],
  ['changes are on this device', { ...saved, waiting: 1 }, false],
])('who goes back while %s leaves the page, which asks: %s', (_, view, leaves) => {
  const address = location.href
  const listeners = new Map<string, EventListener>()
  const add = vi.spyOn(globalThis, 'addEventListener').mockImplementation((type, listener) => {
    listeners.set(type, listener as EventListener)
  })
  const assign = vi.spyOn(location, 'assign').mockImplementation(() => {})
  onTestFinished(() => {
    add.mockRestore()
    assign.mockRestore()
    history.replaceState(null, '', address)
  })
  history.replaceState(null, '', '/')
  keepHouse('https://host.example/', { current: session(view) } as Visit)
  history.replaceState(null, '', '/s/aaaaaaaaaaaaaaaaaaaaaaaaaa')
  const there = location.href
  listeners.get('pointerdown')?.(new Event('pointerdown'))
  history.replaceState(null, '', '/')
  const home = location.href
  listeners.get('popstate')?.(new Event('popstate'))
  expect(assign.mock.calls).toEqual(leaves ? [[home]] : [])
  expect(location.href).toBe(leaves ? there : home)
})

test.each([
  ['the network is back', globalThis, 'online'],
  ['the page is shown again, as it was', globalThis, 'pageshow'],
  ['the browser lets the page go on', document, 'resume'],
  ['somebody looks at the page', document, 'visibilitychange'],
])('the relay is looked for at once when %s', (_, target, name) => {
  const retry = vi.fn()
  const add = vi.spyOn(target, 'addEventListener')
  keepHouse('https://host.example/', { retry, current: { page: 'home' } } as unknown as Visit)
  const [, listener] = add.mock.calls.find(([type]) => type === name) ?? []
  add.mockRestore()
  expect(retry).not.toHaveBeenCalled()
  if (typeof listener === 'function') listener.call(target, new Event(name))
  expect(retry).toHaveBeenCalledOnce()
})
