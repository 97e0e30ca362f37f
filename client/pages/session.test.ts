// @vitest-environment happy-dom
import { flushSync } from 'svelte'
import { expect, test } from 'vitest'
import { fakePerson, fakeSeal } from '../session/testing.svelte.ts'
import {
  button,
  click,
  field,
  open,
  opened,
  press,
  seat,
  seatAliceAndBob,
  session,
  startEachWithASession,
  submit,
  text,
  write,
} from './session.testing.ts'

startEachWithASession()

test('a name and a card are all it takes to vote', async () => {
  await open()
  write('Ana')
  click('Card 5')
  expect(session.acts).toEqual(['introduce Ana', 'choose 4'])
})

test('with a remembered name, one tap votes', async () => {
  session.rememberedName = 'Ana'
  await open()
  click('Card 8')
  expect(session.acts).toEqual(['introduce Ana', 'choose 5'])
})

test('a card tapped before there is a name waits for it', async () => {
  await open()
  click('Card 13')
  expect(session.acts).toEqual([])
  expect(document.activeElement).toBe(field())
  expect(text()).toContain('Tell the others who you are')
  write('Ana')
  submit()
  expect(session.acts).toEqual(['introduce Ana', 'choose 6'])
})

test('500 pasted characters become a name of 80 and a kind sentence', async () => {
  await open()
  write('x'.repeat(500))
  expect(field().value).toHaveLength(80)
  expect(text()).toContain('We kept the first 80 characters.')
})

test('a letter that alone is too long for a name is taken out of the field, which says so', async () => {
  await open()
  write(`e${'\u0301'.repeat(400)}`)
  expect(field().value).toBe('')
  expect(text()).toContain('We kept the first 0 characters.')
})

test('the chosen card, tapped again, is taken back', async () => {
  session.people = [fakePerson('Ana', { me: true })]
  await open()
  click('Card 3')
  click('Card 3')
  expect(session.acts).toEqual(['choose 3', 'choose undefined'])
})

test('a reveal asks before it leaves out somebody who is here', async () => {
  const [ana, ben] = [fakePerson('Ana', { me: true }), fakePerson('Ben')]
  session.people = [ana, ben]
  session.begin({ votes: [[ana, 4]] })
  await open()
  click('Reveal')
  expect(session.acts).toEqual([])
  expect(text()).toContain('Ben has not voted yet.')
  click('Reveal anyway', 2)
  expect(session.acts).toEqual([])
  click('Reveal anyway')
  expect(session.acts).toEqual(['reveal'])
})

test('who has not voted is named in the order of the names', async () => {
  const [ana, zoe, ben] = [fakePerson('Ana', { me: true }), fakePerson('Zoe'), fakePerson('Ben')]
  session.people = [ana, zoe, ben]
  session.begin({ votes: [[ana, 4]] })
  await open()
  click('Reveal')
  expect(text()).toContain('Ben and Zoe have not voted yet.')
})

test('who chose the same card is named in the order of the names', async () => {
  const [ana, zoe, ben] = [fakePerson('Ana', { me: true }), fakePerson('Zoe'), fakePerson('Ben')]
  session.people = [ana, zoe, ben]
  const votes = [zoe, ben, ana].map((person) => [person, 4] as const)
  session.begin({ votes, revealed: true })
  await open()
  expect(text()).toContain('Ana, Ben, Zoe')
})

test('a reveal asks nothing when everybody who is here has voted', async () => {
  const [ana, ben] = [fakePerson('Ana', { me: true }), fakePerson('Ben')]
  session.people = [ana, ben, fakePerson('Cy', { here: false }), fakePerson('Olga', { observer: true })]
  session.begin({
    votes: [
      [ana, 4],
      [ben, 4],
    ],
  })
  await open()
  press('r')
  expect(session.acts).toEqual(['reveal'])
  expect(text()).toContain('Revealed: consensus on 5')
})

test('the suggestion is preselected and saved only by settling', async () => {
  const [ana, ben] = [fakePerson('Ana', { me: true }), fakePerson('Ben')]
  session.people = [ana, ben]
  session.addStories([{ title: 'Sign in' }, { title: 'Sign out' }])
  const votes = [
    [ana, 4],
    [ben, 5],
  ] as const
  session.begin({ votes, revealed: true, ...(session.stories[0] && { story: session.stories[0].id }) })
  await open()
  expect(session.acts.slice(1)).toEqual([])
  click('Settle at 8')
  expect(session.acts.slice(1)).toEqual(['settle 5'])
  click('Next story', 2)
  expect(session.acts.slice(1)).toEqual(['settle 5'])
  click('Next story')
  expect(session.acts.slice(1)).toEqual(['settle 5', 'lay Sign out'])
})

test('a late vote is counted when somebody says so', async () => {
  const [ana, ben] = [fakePerson('Ana', { me: true }), fakePerson('Ben')]
  session.people = [ana, ben]
  session.begin({
    votes: [
      [ana, 4],
      [ben, { state: 'late', seals: [fakeSeal()] }],
    ],
    revealed: true,
  })
  await open()
  expect(text()).toContain('Ben voted after the reveal.')
  click('Count it')
  expect(session.acts).toEqual(['admit 1'])
})

test('a quick round is settled like a story, and then goes on to the next', async () => {
  const [alice, bob] = seatAliceAndBob()
  const votes = [
    [alice, 4],
    [bob, 4],
  ] as const
  session.begin({ votes, revealed: true })
  await open()
  click('Settle at 5')
  session.begin({ votes, revealed: true, settled: [{ card: 4, by: alice }] })
  flushSync()
  expect(text()).toContain('Settled by alice')
  click('New quick round')
  expect(session.acts).toEqual(['settle 4', 'lay undefined'])
})

test('a vote is marked as unsure by its button or by u, once there is one', async () => {
  session.people = [fakePerson('alice', { me: true })]
  await open()
  press('u')
  expect(() => button('Not sure')).toThrow()
  click('Card 5')
  click('Not sure')
  expect(button('Not sure').getAttribute('aria-pressed')).toBe('true')
  expect(seat('alice').textContent).toContain('unsure')
  press('u')
  expect(session.acts).toEqual(['choose 4', 'choose 4 unsure', 'choose 4'])
})

test('unsure votes are told apart in words, and the result without them is told too', async () => {
  const [alice, bob, carol] = [fakePerson('alice', { me: true }), fakePerson('bob'), fakePerson('carol')]
  session.people = [alice, bob, carol]
  session.begin({
    votes: [
      [alice, 4],
      [bob, 4],
      [carol, { state: 'counted', card: 7, unsure: true }],
    ],
    revealed: true,
  })
  await open()
  expect(seat('carol').textContent).toContain('unsure')
  expect(text()).toContain('carol (unsure)')
  expect(text()).toContain('Without the unsure ones: median 5')
})

test('after the reveal everybody sees that bob did not vote, and hears it once', async () => {
  const [alice, _bob] = seatAliceAndBob()
  session.begin({ votes: [[alice, 4]] })
  await open()
  expect(seat('bob').querySelector('.note')?.textContent?.trim()).toBe('')
  session.reveal()
  flushSync()
  expect(seat('bob').querySelector('.note')?.textContent?.trim()).toBe('did not vote')
  expect(seat('bob').textContent?.match(/did not vote/g)).toHaveLength(1)
})

test('after the reveal the lowest and the highest card are marked in words, and no card when all are the same', async () => {
  const [alice, bob, carol] = [fakePerson('alice', { me: true }), fakePerson('bob'), fakePerson('carol')]
  session.people = [alice, bob, carol]
  session.begin({
    votes: [
      [alice, 4],
      [bob, 2],
      [carol, 7],
    ],
    revealed: true,
  })
  await open()
  const note = (name: string) => seat(name).querySelector('.note')?.textContent?.trim()
  expect([note('alice'), note('bob'), note('carol')]).toEqual(['', 'lowest', 'highest'])
  session.begin({ votes: [alice, bob, carol].map((person) => [person, 4] as const), revealed: true })
  flushSync()
  expect([note('alice'), note('bob'), note('carol')]).toEqual(['', '', ''])
})

test('the reveal is the main thing to do once bob has voted too, and the tab tells alice how far it is', async () => {
  const [alice, bob] = seatAliceAndBob()
  session.name = 'Sprint 48'
  await open()
  expect(document.title).toBe('Sprint 48 · Facedown')
  click('Card 5')
  expect(document.title).toBe('1/2 · Sprint 48 · Facedown')
  expect(button('Reveal').classList).not.toContain('primary')
  session.begin({
    votes: [
      [alice, 4],
      [bob, 5],
    ],
  })
  flushSync()
  expect(document.title).toBe('2/2 · Sprint 48 · Facedown')
  expect(button('Reveal').classList).toContain('primary')
  click('Reveal')
  expect(document.title).toBe('revealed · Sprint 48 · Facedown')
})

test('the name of a session reorders nothing of the title of its tab', async () => {
  session.name = '\u202eسبرنت 48'
  await open()
  expect(document.title).toBe('\u2068سبرنت 48\u2069 · Facedown')
})

test('the median stands large once, and again only when alice has settled at another card', async () => {
  const [alice, bob] = seatAliceAndBob()
  const votes = [
    [alice, 4],
    [bob, 5],
  ] as const
  session.begin({ votes, revealed: true })
  await open()
  const terms = () => [...document.querySelectorAll('dt')].map((term) => term.textContent)
  expect(terms()).not.toContain('Median')
  session.begin({ votes, revealed: true, settled: [{ card: 4, by: alice }] })
  flushSync()
  expect(terms()).toContain('Median')
})

test('alice finds the key and the beginning of the notes under the title, and opens all of them there', async () => {
  session.people = [fakePerson('alice', { me: true })]
  const link = 'https://tracker.example/APP-17'
  session.addStories([
    { title: 'Sign in', key: 'APP-17', link, notes: 'People forget\n\npasswords.' },
    { title: 'Sign out', key: 'APP-18' },
    { title: 'Sign up' },
  ])
  const [signIn, signOut, signUp] = session.stories
  if (!signIn || !signOut || !signUp) throw new Error('There are three stories')
  session.begin({ story: signIn.id })
  await open()
  const context = () => document.querySelector('.stage .context')
  await opened(() => expect(context()?.textContent).toContain('People forget passwords.'))
  expect(context()?.querySelector('a')?.href).toBe(link)
  session.notes(signIn.id)?.insert(0, 'Urgent: ')
  flushSync()
  expect(context()?.textContent).toContain('Urgent: People forget passwords.')
  context()?.querySelector('button')?.click()
  await opened(() => button('Done'))
  click('Done')
  session.lay(signOut.id)
  await opened(() => expect(context()?.textContent).toContain('APP-18'))
  expect(context()?.querySelector('a, button')).toBeNull()
  session.lay(signUp.id)
  flushSync()
  expect(context()).toBeNull()
})
