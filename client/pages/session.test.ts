// @vitest-environment happy-dom
import { flushSync, mount, unmount } from 'svelte'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FakeSession, fakePerson, fakeSeal } from '../testing.svelte.ts'
import Session from './session.svelte'

let session: FakeSession
let page: ReturnType<typeof mount> | undefined

beforeEach(() => {
  session = new FakeSession()
  // Svelte's transitions need an animation, which this document cannot make.
  Element.prototype.animate = () =>
    Object.assign(new EventTarget(), { cancel() {}, finished: Promise.resolve() }) as unknown as Animation
})

afterEach(() => {
  if (page) unmount(page)
  page = undefined
})

function open(): void {
  page = mount(Session, { target: document.body, props: { session } })
  flushSync()
}

function button(name: string): HTMLButtonElement {
  const found = [...document.querySelectorAll('button')].find(
    (element) => (element.getAttribute('aria-label') ?? element.textContent)?.trim() === name,
  )
  if (!found) throw new Error(`There is no button "${name}"`)
  return found
}

function click(name: string, detail = 1): void {
  button(name).dispatchEvent(new MouseEvent('click', { bubbles: true, detail }))
  flushSync()
}

function field(): HTMLInputElement {
  const found = document.querySelector<HTMLInputElement>('input[autocomplete="nickname"]')
  if (!found) throw new Error('Nobody asks for a name')
  return found
}

function write(text: string): void {
  field().value = text
  field().dispatchEvent(new Event('input', { bubbles: true }))
  flushSync()
}

function submit(): void {
  field().form?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }))
  flushSync()
}

function press(key: string): void {
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))
  flushSync()
}

function text(): string {
  return document.body.textContent ?? ''
}

test('a name and a card are all it takes to vote', () => {
  open()
  write('Ana')
  click('Card 5')
  expect(session.acts).toEqual(['introduce Ana', 'choose 4'])
})

test('with a remembered name, one tap votes', () => {
  session.rememberedName = 'Ana'
  open()
  click('Card 8')
  expect(session.acts).toEqual(['introduce Ana', 'choose 5'])
})

test('a card tapped before there is a name waits for it', () => {
  open()
  click('Card 13')
  expect(session.acts).toEqual([])
  expect(document.activeElement).toBe(field())
  expect(text()).toContain('Tell the others who you are')
  write('Ana')
  submit()
  expect(session.acts).toEqual(['introduce Ana', 'choose 6'])
})

test('500 pasted characters become a name of 80 and a kind sentence', () => {
  open()
  write('x'.repeat(500))
  expect(field().value).toHaveLength(80)
  expect(text()).toContain('We kept the first 80 characters.')
})

test('the chosen card, tapped again, is taken back', () => {
  session.people = [fakePerson('Ana', { me: true })]
  open()
  click('Card 3')
  click('Card 3')
  expect(session.acts).toEqual(['choose 3', 'choose undefined'])
})

test('a reveal asks before it leaves out somebody who is here', () => {
  const [ana, ben] = [fakePerson('Ana', { me: true }), fakePerson('Ben')]
  session.people = [ana, ben]
  session.begin({ votes: [[ana, 4]] })
  open()
  click('Reveal')
  expect(session.acts).toEqual([])
  expect(text()).toContain('Ben has not voted yet.')
  click('Reveal anyway', 2)
  expect(session.acts).toEqual([])
  click('Reveal anyway')
  expect(session.acts).toEqual(['reveal'])
})

test('a reveal asks nothing when everybody who is here has voted', () => {
  const [ana, ben] = [fakePerson('Ana', { me: true }), fakePerson('Ben')]
  session.people = [ana, ben, fakePerson('Cy', { here: false }), fakePerson('Olga', { observer: true })]
  session.begin({
    votes: [
      [ana, 4],
      [ben, 4],
    ],
  })
  open()
  press('r')
  expect(session.acts).toEqual(['reveal'])
  expect(text()).toContain('Revealed: consensus on 5')
})

test('the suggestion is preselected and saved only by settling', () => {
  const [ana, ben] = [fakePerson('Ana', { me: true }), fakePerson('Ben')]
  session.people = [ana, ben]
  session.addStories([{ title: 'Sign in' }, { title: 'Sign out' }])
  const votes = [
    [ana, 4],
    [ben, 5],
  ] as const
  session.begin({ votes, revealed: true, ...(session.stories[0] && { story: session.stories[0].id }) })
  open()
  expect(session.acts.slice(1)).toEqual([])
  click('Settle at 8')
  expect(session.acts.slice(1)).toEqual(['settle 5'])
  click('Next story', 2)
  expect(session.acts.slice(1)).toEqual(['settle 5'])
  click('Next story')
  expect(session.acts.slice(1)).toEqual(['settle 5', 'lay Sign out'])
})

test('a late vote is counted when somebody says so', () => {
  const [ana, ben] = [fakePerson('Ana', { me: true }), fakePerson('Ben')]
  session.people = [ana, ben]
  session.begin({
    votes: [
      [ana, 4],
      [ben, { state: 'late', seals: [fakeSeal()] }],
    ],
    revealed: true,
  })
  open()
  expect(text()).toContain('Ben voted after the reveal.')
  click('Count it')
  expect(session.acts).toEqual(['admit 1'])
})

test('typing chooses a card, but not while a text field has the focus', () => {
  session.people = [fakePerson('Ana', { me: true })]
  open()
  press('1')
  press('3')
  expect(session.acts).toEqual(['choose 6'])
  const add = document.querySelector('form textarea')
  add?.dispatchEvent(new KeyboardEvent('keydown', { key: '8', bubbles: true }))
  expect(session.acts).toEqual(['choose 6'])
})

test('an observer finds neither cards nor controls', () => {
  session.mayWrite = false
  session.people = [fakePerson('Ben')]
  open()
  expect(document.querySelector('[aria-pressed]')).toBeNull()
  expect(text()).toContain('You are watching.')
  expect(() => button('Reveal')).toThrow()
})
