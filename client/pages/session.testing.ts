/** The page of a session, as somebody in front of it sees and works it. */
import { flushSync, mount, unmount } from 'svelte'
import { afterEach, beforeAll, beforeEach, expect, vi } from 'vitest'
import type { Person } from '../session/session-view.ts'
import { FakeSession, fakePerson } from '../session/testing.svelte.ts'
import { onceRevealed } from '../ui/once-revealed.svelte.ts'
import Session from './session.svelte'

/** Anew for each test. */
export let session: FakeSession
let page: ReturnType<typeof mount> | undefined

// It is here since somebody voted.
vi.mock('../ui/moments/celebrate.ts', () => ({ celebrate: async () => {} }))

/** To be called once by each file of tests. */
export function startEachWithASession(): void {
  beforeAll(() => onceRevealed.load())

  beforeEach(() => {
    session = new FakeSession()
    // Confetti needs a canvas, which this document does not have; nobody gets any who asked for less motion.
    vi.stubGlobal('matchMedia', (query: string) => ({ matches: query.includes('reduced-motion') }))
    // Svelte's transitions need an animation, which this document cannot make.
    Element.prototype.animate = () =>
      Object.assign(new EventTarget(), { cancel() {}, finished: Promise.resolve() }) as unknown as Animation
  })

  afterEach(() => {
    vi.unstubAllGlobals()
    if (page) unmount(page)
    page = undefined
    history.replaceState(null, '', location.pathname)
  })
}

/** It is alice's page. */
export function seatAliceAndBob(): [Person, Person] {
  const people: [Person, Person] = [fakePerson('alice', { me: true }), fakePerson('bob')]
  session.people = people
  return people
}

/** Resolves when every part of the page has had its turn. */
export async function open(): Promise<void> {
  page = mount(Session, { target: document.body, props: { session } })
  await opened(() => {
    const begun = document.querySelector('.page')
    if (begun && !begun.querySelector('aside, .waiting')) throw new Error('The page is not complete')
  })
}

export function button(name: string): HTMLButtonElement {
  const found = [...document.querySelectorAll('button')].find(
    (element) => (element.getAttribute('aria-label') ?? element.textContent)?.trim() === name,
  )
  if (!found) throw new Error(`There is no button "${name}"`)
  return found
}

export function click(name: string, detail = 1): void {
  button(name).dispatchEvent(new MouseEvent('click', { bubbles: true, detail }))
  flushSync()
}

export function field(): HTMLInputElement {
  const found = document.querySelector<HTMLInputElement>('input[autocomplete="nickname"]')
  if (!found) throw new Error('Nobody asks for a name')
  return found
}

export function write(text: string): void {
  field().value = text
  field().dispatchEvent(new Event('input', { bubbles: true }))
  flushSync()
}

export function submit(): void {
  field().form?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }))
  flushSync()
}

export function press(key: string, more: KeyboardEventInit = {}): void {
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, ...more }))
  flushSync()
}

/** Parts that are no part of the first vote are fetched when they are needed. */
export async function arrived(words: string): Promise<void> {
  await vi.waitFor(() => expect(text()).toContain(words))
}

export function text(): string {
  return document.body.textContent ?? ''
}

/** The seat, chip or name that stands for somebody at the table. */
export function seat(name: string): HTMLButtonElement {
  const found = [...document.querySelectorAll<HTMLButtonElement>('button[aria-haspopup="dialog"]')].find(
    (element) => [...element.querySelectorAll('bdi')].some((part) => part.textContent === name),
  )
  if (!found) throw new Error(`${name} does not sit here`)
  return found
}

/** What is fetched when it is opened. */
export async function opened<Found>(find: () => Found): Promise<Found> {
  return vi.waitFor(() => {
    flushSync()
    return find()
  }, 10_000)
}

export async function openMenuOf(name: string): Promise<void> {
  seat(name).click()
  await opened(() => {
    if (!document.querySelector('[popover]')) throw new Error(`The menu of ${name} is not open`)
  })
}
