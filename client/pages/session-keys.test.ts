// @vitest-environment happy-dom
import { flushSync } from 'svelte'
import { expect, test, vi } from 'vitest'
import { preferences } from '../device/preferences.svelte.ts'
import { fakePerson } from '../session/testing.svelte.ts'
import {
  button,
  click,
  open,
  opened,
  press,
  seatAliceAndBob,
  session,
  startEachWithASession,
  text,
} from './session.testing.ts'

startEachWithASession()

test('the button to reveal stays where it is when somebody’s card comes before the word that they are here', async () => {
  const [ana, ben] = [fakePerson('Ana', { me: true }), fakePerson('Ben', { here: false })]
  session.people = [ana, ben]
  session.begin({
    votes: [
      [ana, 4],
      [ben, 5],
    ],
  })
  await open()
  expect(text()).not.toContain('Nobody else is here yet.')
  const reveal = button('Reveal')
  session.people = [ana, { ...ben, here: true }]
  flushSync()
  expect(button('Reveal')).toBe(reveal)
})

test('typing chooses a card, but not while a text field has the focus', async () => {
  session.people = [fakePerson('Ana', { me: true })]
  await open()
  press('1')
  press('3')
  expect(session.acts).toEqual(['choose 6'])
  const add = document.querySelector('form textarea')
  add?.dispatchEvent(new KeyboardEvent('keydown', { key: '8', bubbles: true }))
  expect(session.acts).toEqual(['choose 6'])
})

test('keys belong to an open menu while it has the focus', async () => {
  await openWhenBothHaveVoted()
  click('Settings')
  const choice = await opened(() => {
    const found = document.querySelector('.settings label')
    if (!found) throw new Error('The settings are not open')
    return found
  })
  for (const key of ['8', 'r']) {
    choice.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))
  }
  expect(session.acts).toEqual([])
})

test('cards and acts are typed on a keyboard of other letters, too', async () => {
  const [_alice, bob] = seatAliceAndBob()
  session.begin({ votes: [[bob, 4]] })
  await open()
  press('١', { code: 'Digit1' })
  press('٣', { code: 'Digit3' })
  expect(session.acts).toEqual(['choose 6'])
  press('ق', { code: 'KeyR' })
  expect(session.acts).toEqual(['choose 6', 'reveal'])
})

test('keys on their own do nothing once they are switched off, and are not told of any more', async () => {
  await openWhenBothHaveVoted()
  expect(button('Reveal').getAttribute('aria-keyshortcuts')).toBe('r')
  preferences.singleKeys = false
  flushSync()
  for (const key of ['8', 'u', 'r', 'n', 'p', '?']) press(key)
  expect(session.acts).toEqual([])
  expect(location.search).toBe('')
  expect(button('Reveal').hasAttribute('aria-keyshortcuts')).toBe(false)
  press('z', { ctrlKey: true })
  expect(session.acts).toEqual(['undo'])
  preferences.singleKeys = true
  press('r')
  expect(session.acts).toEqual(['undo', 'reveal'])
})

test('the projector view stays in the address, shows no hand, and Escape leaves it', async () => {
  const [_alice, bob] = seatAliceAndBob()
  session.begin({ votes: [[bob, 4]] })
  await open()
  press('p')
  expect(location.search).toBe('?view=projector')
  await opened(() => button('Leave the projector view'))
  expect(document.querySelector('[aria-pressed]')).toBeNull()
  press('5')
  press('r')
  expect(text()).toContain('alice has not voted yet.')
  expect(session.acts).toEqual([])
  press('Escape')
  expect(location.search).toBe('')
  expect(await opened(() => button('Card 5'))).toBeDefined()
})

test('an address with the projector view opens in it', async () => {
  history.replaceState(null, '', '?view=projector')
  session.people = [fakePerson('alice', { me: true })]
  await open()
  expect((await opened(() => button('Leave the projector view'))).isConnected).toBe(true)
})

test('Ctrl+Z undoes the last act, but belongs to a text field while somebody writes', async () => {
  session.people = [fakePerson('alice', { me: true })]
  await open()
  const field = document.querySelector('form textarea')
  field?.dispatchEvent(new KeyboardEvent('keydown', { key: 'z', ctrlKey: true, bubbles: true }))
  expect(session.acts).toEqual([])
  press('z', { ctrlKey: true })
  press('z', { metaKey: true })
  expect(session.acts).toEqual(['undo', 'undo'])
})

test('the focus alice had on the reveal moves to the result, and from there to her hand', async () => {
  await openWhenBothHaveVoted()
  expect(document.activeElement).toBe(document.body)
  button('Reveal').focus()
  click('Reveal')
  const focused = () => document.activeElement?.getAttribute('aria-label')
  await vi.waitFor(() => expect(focused()).toBe('Result'))
  button('Vote again').focus()
  click('Vote again')
  await vi.waitFor(() => expect(focused()).toBe('Your hand'))
})

test('alice, asked to wait for bob, gets the focus back on the reveal when she does', async () => {
  const [alice, _bob] = seatAliceAndBob()
  session.begin({ votes: [[alice, 4]] })
  await open()
  click('Reveal')
  expect(document.activeElement).toBe(button('Wait'))
  click('Wait')
  expect(document.activeElement).toBe(button('Reveal'))
})

test('alice goes on writing while bob reveals', async () => {
  const [_alice, bob] = seatAliceAndBob()
  session.begin({ votes: [[bob, 4]] })
  await open()
  const writing = document.querySelector<HTMLTextAreaElement>('form textarea')
  writing?.focus()
  session.reveal()
  flushSync()
  expect(document.activeElement).toBe(writing)
})

test('a double click on the reveal reveals, and decides nothing else', async () => {
  await openWhenBothHaveVoted()
  click('Reveal')
  for (const name of ['New quick round', 'Vote again', 'Settle at 5']) click(name, 2)
  expect(session.acts).toEqual(['reveal'])
})

/** Both chose 5. */
async function openWhenBothHaveVoted(): Promise<void> {
  const [alice, bob] = seatAliceAndBob()
  session.begin({
    votes: [
      [alice, 4],
      [bob, 4],
    ],
  })
  await open()
}
