// @vitest-environment happy-dom
import { flushSync, mount, unmount } from 'svelte'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { FakeSession, fakePerson, fakeSeal } from '../testing.svelte.ts'
import { onceRevealed } from '../ui/once-revealed.svelte.ts'
import Session from './session.svelte'

let session: FakeSession
let page: ReturnType<typeof mount> | undefined

// It is here since somebody voted.
vi.mock('../ui/moments/celebrate.ts', () => ({ celebrate: async () => {} }))

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

/** Resolves when every part of the page has had its turn. */
async function open(): Promise<void> {
  page = mount(Session, { target: document.body, props: { session } })
  await opened(() => {
    const begun = document.querySelector('.page')
    if (begun && !begun.querySelector('aside, .waiting')) throw new Error('The page is not complete')
  })
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

function press(key: string, more: KeyboardEventInit = {}): void {
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, ...more }))
  flushSync()
}

/** Parts that are no part of the first vote are fetched when they are needed. */
async function arrived(words: string): Promise<void> {
  await vi.waitFor(() => expect(text()).toContain(words))
}

function text(): string {
  return document.body.textContent ?? ''
}

/** The seat, chip or name that stands for somebody at the table. */
function seat(name: string): HTMLButtonElement {
  const found = [...document.querySelectorAll<HTMLButtonElement>('button[aria-haspopup="dialog"]')].find(
    (element) => [...element.querySelectorAll('bdi')].some((part) => part.textContent === name),
  )
  if (!found) throw new Error(`${name} does not sit here`)
  return found
}

/** What is fetched when it is opened. */
async function opened<Found>(find: () => Found): Promise<Found> {
  return vi.waitFor(() => {
    flushSync()
    return find()
  }, 10_000)
}

async function openMenuOf(name: string): Promise<void> {
  seat(name).click()
  await opened(() => {
    if (!document.querySelector('[popover]')) throw new Error(`The menu of ${name} is not open`)
  })
}

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

test('an observer finds neither cards nor controls', async () => {
  session.mayWrite = false
  session.people = [fakePerson('Ben')]
  await open()
  expect(document.querySelector('[aria-pressed]')).toBeNull()
  expect(text()).toContain('You are watching.')
  expect(() => button('Reveal')).toThrow()
})

test('a quick round is settled like a story, and then goes on to the next', async () => {
  const [alice, bob] = [fakePerson('alice', { me: true }), fakePerson('bob')]
  session.people = [alice, bob]
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
  const [alice, bob] = [fakePerson('alice', { me: true }), fakePerson('bob')]
  session.people = [alice, bob]
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
  const [alice, bob] = [fakePerson('alice', { me: true }), fakePerson('bob')]
  session.people = [alice, bob]
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

test('the median stands large once, and again only when alice has settled at another card', async () => {
  const [alice, bob] = [fakePerson('alice', { me: true }), fakePerson('bob')]
  session.people = [alice, bob]
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

test('the projector view stays in the address, shows no hand, and Escape leaves it', async () => {
  const [alice, bob] = [fakePerson('alice', { me: true }), fakePerson('bob')]
  session.people = [alice, bob]
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
  const [alice, bob] = [fakePerson('alice', { me: true }), fakePerson('bob')]
  session.people = [alice, bob]
  session.begin({
    votes: [
      [alice, 4],
      [bob, 4],
    ],
  })
  await open()
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
  const [alice, bob] = [fakePerson('alice', { me: true }), fakePerson('bob')]
  session.people = [alice, bob]
  session.begin({ votes: [[alice, 4]] })
  await open()
  click('Reveal')
  expect(document.activeElement).toBe(button('Wait'))
  click('Wait')
  expect(document.activeElement).toBe(button('Reveal'))
})

test('alice goes on writing while bob reveals', async () => {
  const [alice, bob] = [fakePerson('alice', { me: true }), fakePerson('bob')]
  session.people = [alice, bob]
  session.begin({ votes: [[bob, 4]] })
  await open()
  const writing = document.querySelector<HTMLTextAreaElement>('form textarea')
  writing?.focus()
  session.reveal()
  flushSync()
  expect(document.activeElement).toBe(writing)
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

test('a double click on the reveal reveals, and decides nothing else', async () => {
  const [alice, bob] = [fakePerson('alice', { me: true }), fakePerson('bob')]
  session.people = [alice, bob]
  session.begin({
    votes: [
      [alice, 4],
      [bob, 4],
    ],
  })
  await open()
  click('Reveal')
  for (const name of ['New quick round', 'Vote again', 'Settle at 5']) click(name, 2)
  expect(session.acts).toEqual(['reveal'])
})
