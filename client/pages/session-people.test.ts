// @vitest-environment happy-dom
import { flushSync } from 'svelte'
import { expect, test } from 'vitest'
import { fakePerson } from '../session/testing.svelte.ts'
import {
  arrived,
  button,
  click,
  open,
  openMenuOf,
  press,
  seat,
  session,
  startEachWithASession,
  submit,
  text,
  write,
} from './session.testing.ts'

startEachWithASession()

test('an observer finds neither cards nor controls', async () => {
  session.mayWrite = false
  session.people = [fakePerson('Ben')]
  await open()
  expect(document.querySelector('[aria-pressed]')).toBeNull()
  expect(text()).toContain('You are watching.')
  expect(() => button('Reveal')).toThrow()
})

test('who has not taken a seat yet is told the count that all others see', async () => {
  const [bob, carol] = [fakePerson('bob'), fakePerson('carol')]
  session.people = [bob, carol]
  session.begin({ votes: [[bob, 4]] })
  await open()
  expect(text()).toContain('1 of 2 have voted')
  expect(text()).not.toContain('1 of 3')
})

test('alice votes on a story of her own, sees where the team is, and finds the way back', async () => {
  session.people = [fakePerson('alice', { me: true }), fakePerson('bob')]
  session.addStories([{ title: 'Sign in' }, { title: 'Sign out' }, { title: 'Sign up' }])
  const [signIn, signOut, signUp] = session.stories
  if (!signIn || !signOut || !signUp) throw new Error('There are three stories')
  session.changeStory(signUp.id, { round: 'voting' })
  session.begin({ story: signIn.id })
  await open()
  expect(text()).not.toContain('on your own')
  session.look(signOut.id)
  flushSync()
  await arrived('on your own. The team is at: Sign in')
  press('n')
  expect(session.acts.at(-1)).toBe('look Sign up')
  click('Put on everybody’s table')
  expect(session.acts.at(-1)).toBe('lay Sign up')
  expect(text()).not.toContain('on your own')
  session.look(signOut.id)
  await arrived('on your own')
  click('Back to the table')
  expect(session.acts.at(-1)).toBe('look undefined')
  expect(text()).not.toContain('on your own')
})

test('who may not decide is told who may, and no key gets around it', async () => {
  const [alice, bob] = [fakePerson('alice', { me: true }), fakePerson('bob', { facilitator: true })]
  session.people = [alice, bob]
  session.rules = { who: 'facilitators', auto: false, escrow: true }
  session.mayDecide = false
  const votes = [
    [alice, 4],
    [bob, 5],
  ] as const
  session.begin({ votes })
  await open()
  press('r')
  expect(() => button('Reveal')).toThrow()
  await arrived('Only facilitators reveal: bob')
  expect(seat('bob').textContent).toContain('facilitator')
  session.begin({ votes, revealed: true })
  flushSync()
  press('n')
  expect(text()).toContain('Only facilitators settle and go on: bob')
  for (const name of ['Settle at 8', 'Vote again', 'New quick round']) expect(() => button(name)).toThrow()
  expect(session.acts).toEqual([])
})

test('who comes after the reveal takes a seat before deciding', async () => {
  const bob = fakePerson('bob')
  session.people = [bob]
  session.mayDecide = false
  session.begin({ votes: [[bob, 4]], revealed: true })
  await open()
  expect(text()).not.toContain('Only facilitators')
  write('alice')
  submit()
  expect(session.acts).toEqual(['introduce alice'])
})

test('when no facilitator is here, alice takes over and everybody is told', async () => {
  const [alice, bob] = [
    fakePerson('alice', { me: true }),
    fakePerson('bob', { facilitator: true, here: false }),
  ]
  session.people = [alice, bob, fakePerson('carol', { facilitator: true, tookOver: true, here: false })]
  session.rules = { who: 'facilitators', auto: false, escrow: true }
  session.mayDecide = false
  session.mayTakeOver = true
  session.begin({ votes: [[alice, 4]] })
  await open()
  expect(document.querySelector('[aria-live] span')?.parentElement?.textContent).toContain(
    'carol has taken over as facilitator.',
  )
  await arrived('Nobody else is here yet.')
  await arrived('Take over')
  click('Take over')
  expect(session.acts).toEqual(['takeOver'])
  expect(seat('alice').textContent).toContain('took over')
})

test('the menu of a seat asks somebody to vote, and offers nothing that cannot be done', async () => {
  session.people = [fakePerson('alice', { me: true }), fakePerson('bob')]
  await open()
  await openMenuOf('bob')
  expect(() => button('Make facilitator')).toThrow()
  expect(() => button('Hide from the table')).toThrow()
  click('Ask to vote')
  click('Asked to vote')
  expect(session.acts).toEqual(['nudge bob'])
})

test('a facilitator makes another one', async () => {
  session.people = [fakePerson('alice', { me: true, facilitator: true }), fakePerson('bob')]
  await open()
  await openMenuOf('bob')
  click('Make facilitator')
  expect(session.acts).toEqual(['makeFacilitator'])
  expect(document.activeElement).toBe(seat('bob'))
})

test('alice changes her name at her seat, watches for a while, and takes part again', async () => {
  session.people = [fakePerson('alice', { me: true }), fakePerson('bob')]
  await open()
  await openMenuOf('alice')
  click('Change my name')
  write('Alice')
  submit()
  await openMenuOf('Alice')
  click('Just watch')
  expect(document.querySelector('[aria-pressed]')).toBeNull()
  click('Take part again')
  expect(session.acts).toEqual(['introduce Alice', 'observe true', 'observe false'])
})

test('somebody who left is hidden from the table and can be brought back', async () => {
  const [alice, bob] = [fakePerson('alice', { me: true }), fakePerson('bob', { here: false })]
  session.people = [alice, bob]
  session.begin({ votes: [[bob, 4]] })
  await open()
  await openMenuOf('bob')
  click('Hide from the table')
  expect(() => seat('bob')).toThrow()
  await arrived('1 person is hidden')
  click('Show')
  click('Bring back bob')
  expect(session.acts).toEqual(['hide true', 'hide false'])
  expect(seat('bob').textContent).toContain('away')
})

test('the vote of somebody who was hidden counts for nobody who sits at the table', async () => {
  const [alice, bob] = [fakePerson('alice', { me: true }), fakePerson('bob')]
  const carol = fakePerson('carol', { here: false })
  session.people = [alice, bob, carol]
  session.begin({
    votes: [
      [alice, 3],
      [carol, 4],
    ],
  })
  await open()
  await arrived('2 of 3 have voted')
  await openMenuOf('carol')
  click('Hide from the table')
  await arrived('1 of 2 have voted')
  expect(document.body.textContent).not.toContain('Everybody has voted')
})

test('50 people sit in a grid, and together by their card after the reveal', async () => {
  session.people = Array.from({ length: 50 }, (_, at) => fakePerson(`person ${at}`, { me: at === 0 }))
  const votes = session.people.slice(0, 40).map((person, at) => [person, at < 30 ? 4 : 5] as const)
  session.begin({ votes })
  await open()
  await arrived('person 49')
  const chips = document.querySelectorAll('ul[aria-label="People at the table"] > li:not([aria-hidden])')
  expect(chips).toHaveLength(50)
  expect(chips[0]?.textContent).toContain('has voted')
  expect(chips[49]?.textContent).toContain('has not voted yet')
  session.reveal()
  flushSync()
  const five = document.querySelector('ul[aria-label="Card 5"]')
  expect(five?.parentElement?.textContent).toContain('lowest')
  expect(five?.children).toHaveLength(4)
  click('and 26 others')
  expect(five?.children).toHaveLength(30)
  expect(document.querySelector('ul[aria-label="did not vote"]')?.children).toHaveLength(4)
})
