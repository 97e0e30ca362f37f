// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSessionKeys, keysFor } from '../../shared/keys.ts'
import { Visit } from '../visit/visit.svelte.ts'
import { keepSession, keptSessions, keysOf } from './device.ts'
import { here, read, write } from './device-storage.ts'

const keys = createSessionKeys()

beforeEach(() => localStorage.clear())
afterEach(() => {
  vi.restoreAllMocks()
})

/** Home, of the installation in this folder of the host. */
function home(folder: string): Visit {
  const base = new URL(folder, 'https://host.example').href
  vi.spyOn(document, 'baseURI', 'get').mockReturnValue(base)
  return new Visit(base)
}

test('a session opened in one installation leads there from another, which neither renames nor deletes it', () => {
  home('/a/')
  keepSession(keys, 1)
  const inItsOwn = home('/a/').sessions
  const elsewhere = home('/b/').sessions
  const href = `https://host.example/a/s/${keys.session}`
  expect(inItsOwn).toMatchObject([{ href, mayRename: true, mayDelete: true }])
  expect(elsewhere).toMatchObject([{ href, mayRename: false, mayDelete: false }])
})

test('a session that was kept before installations were told apart is where it always was', () => {
  const secret = keptAs()
  localStorage.setItem(`facedown.session.${keys.session}`, JSON.stringify([secret, 'Team', 1]))
  for (const folder of ['/', '/poker/']) {
    expect(home(folder).sessions).toMatchObject([
      { name: 'Team', href: `https://host.example${folder}s/${keys.session}`, mayDelete: true },
    ])
  }
})

test('a session that moved with its relay belongs to the new folder once it is opened there, with its keys and name', () => {
  home('/old/')
  keepSession(keys, 1, 'Team')
  home('/new/')
  keepSession(keysFor('observer', keys), 2)
  expect(keysOf(keys.session)?.role).toBe('owner')
  expect(home('/new/').sessions).toMatchObject([
    { name: 'Team', href: `https://host.example/new/s/${keys.session}`, mayRename: true },
  ])
})

test('a session that was removed and brought back is in the folder where it was', () => {
  home('/a/')
  keepSession(keys, 1)
  const visit = home('/b/')
  const [entry] = visit.sessions
  visit.remove(keys.session)
  expect(keptSessions()).toEqual([])
  if (entry) visit.restore(entry)
  expect(visit.sessions).toEqual([entry])
})

test('what one installation knows of its relays another does not read', () => {
  home('/a/')
  write(here('region'), 'https://far.example/a/')
  home('/b/')
  expect(read(here('region'))).toBeUndefined()
  home('/a/')
  expect(read(here('region'))).toBe('https://far.example/a/')
})

function keptAs(): string {
  home('/')
  keepSession(keys, 1)
  const [kept] = keptSessions()
  localStorage.clear()
  if (!kept) throw new Error('It was kept')
  return kept.secret
}
