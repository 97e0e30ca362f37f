import type { Locator } from '@playwright/test'
import { expect, test } from './people.ts'
import type { Person } from './person.ts'

// Keeping the app on the device takes a third of the work of a visit, and is not what is looked at here.
test.use({ serviceWorkers: 'block' })

test('people vote on several open stories on their own', async ({ relay, alice, bob }) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.addsStory('Search', 'Export')
  await bob.opens(await alice.invitation())
  await bob.tellsName()
  await alice.page.getByRole('button', { name: 'More for the backlog' }).click()
  await alice.page.getByRole('button', { name: 'Open all 2 for votes' }).click()

  await bob.page.getByRole('button', { name: /Open, no votes yet.*Export/ }).click()
  await bob.sees(/You are voting on this story on your own/)
  await bob.votes('8')
  await bob.page.getByRole('button', { name: 'Back to the table' }).click()
  await expect(bob.page.getByRole('button', { name: /Open, 1 vote You voted Export/ })).toBeVisible()

  await alice.page.getByRole('button', { name: /Open, 1 vote.*Export/ }).click()
  await alice.votes('5')
  await alice.reveals()
  await alice.sees('alice (5)')
  await expect(alice.seatOf(bob)).toContainText('voted 8')
})

test('a vote that was on its way during the reveal is kept apart, until somebody counts it', async ({
  relay,
  cable,
  alice,
  bob,
}) => {
  const link = await alice.startsAndInvites(relay.url)
  await bob.opens(link.replace(relay.url, cable.url))
  await bob.tellsName()
  await expect(alice.seatOf(bob)).toBeVisible()
  await alice.votes('5')
  cable.cut()
  await expect(bob.status).toContainText('Offline')
  await bob.votes('8')
  await alice.reveals()
  await expect(alice.page.getByRole('region', { name: 'Result' })).toContainText('Mean 5')
  cable.mend()
  const told = 'bob voted after the reveal. The vote is not counted.'
  for (const { page } of [alice, bob]) await expect(page.getByText(told)).toBeVisible({ timeout: 35_000 })
  const result = bob.page.getByRole('region', { name: 'Result' })
  await expect(result).toContainText('Mean 5')
  await alice.page.getByRole('button', { name: 'Count it' }).click()
  for (const { page } of [alice, bob]) await expect(page.getByText(told)).toHaveCount(0)
  await expect(bob.seatOf(bob)).toContainText('voted 8')
  await expect(result).toContainText('Mean 6.5')
})

test('what was done is undone: remove, move, rename, vote again', async ({ relay, alice }) => {
  await alice.starts(relay.url)
  await alice.page.getByLabel('Your name').fill('alice')
  await alice.votes('5')
  await alice.addsStory('First', 'Second', 'Third')
  const titles = alice.page.getByRole('textbox', { name: 'Title of the story' })
  const undo = alice.page.getByRole('button', { name: 'Undo' }).last()
  await alice.page.getByRole('button', { name: 'More for First' }).click()
  await alice.page.getByRole('button', { name: 'Remove', exact: true }).click()
  await expect(titles).toHaveCount(2)
  await undo.click()
  await expect(titles.first()).toHaveValue('First')

  await titles.first().press('Alt+ArrowDown')
  await expect(titles.first()).toHaveValue('Second')
  await undo.click()
  await expect(titles.first()).toHaveValue('First')

  const name = alice.page.getByRole('textbox', { name: 'Name of the session' })
  await name.fill('Sprint 1')
  await name.press('Enter')
  await name.fill('Sprint 2')
  await name.press('Enter')
  await undo.click()
  await expect(name).toHaveValue('Sprint 1')

  await alice.reveals()
  await alice.page.getByRole('button', { name: 'Vote again' }).click()
  await expect(alice.card('5')).toBeVisible()
  await undo.click()
  await expect(alice.seatOf(alice)).toContainText('voted 5')
})

test('a story is dragged to its place with the mouse', async ({ relay, alice }) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.addsStory('First', 'Second', 'Third')
  const rows = alice.page
    .getByRole('listitem')
    .filter({ has: alice.page.getByRole('textbox', { name: 'Title of the story' }) })
  const grip = rows.nth(0).getByRole('presentation')
  const from = await grip.boundingBox()
  const to = await rows.nth(2).boundingBox()
  if (!from || !to) throw new Error('The rows are visible')
  await alice.page.mouse.move(from.x + from.width / 2, from.y + from.height / 2)
  await alice.page.mouse.down()
  await alice.page.mouse.move(to.x + 40, to.y + to.height - 4, { steps: 6 })
  await alice.page.mouse.up()
  await expect(alice.page.getByRole('textbox', { name: 'Title of the story' }).nth(2)).toHaveValue('First')
})

test.describe('while somebody drags a story and others go on', () => {
  const titles = (person: Person) => person.page.getByRole('textbox', { name: 'Title of the story' })
  const order = (person: Person) =>
    titles(person).evaluateAll((fields) =>
      fields.map((field) => (field instanceof HTMLTextAreaElement ? field.value : '')).join(' '),
    )

  async function rowOf(person: Person, title: string): Promise<Locator> {
    const places = (await order(person)).split(' ')
    return person.page
      .getByRole('listitem')
      .filter({ has: titles(person) })
      .nth(places.indexOf(title))
  }

  async function boxOf(element: Locator) {
    const box = await element.boundingBox()
    if (!box) throw new Error('It is visible')
    return box
  }

  /** Without dropping it yet. */
  async function drags(person: Person, title: string, before: string): Promise<void> {
    const grip = await boxOf((await rowOf(person, title)).getByRole('presentation'))
    const to = await boxOf(await rowOf(person, before))
    await person.page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2)
    await person.page.mouse.down()
    await person.page.mouse.move(to.x + 40, to.y + 4, { steps: 6 })
    await expect(await rowOf(person, before)).toContainClass('before')
  }

  async function removes(person: Person, title: string): Promise<void> {
    await person.page.getByRole('button', { name: `More for ${title}`, exact: true }).click()
    await person.page.getByRole('button', { name: 'Remove', exact: true }).click()
  }

  async function share(url: string, alice: Person, bob: Person, ...stories: string[]): Promise<void> {
    await bob.opens(await alice.startsAndInvites(url))
    await bob.tellsName()
    await alice.addsStory(...stories)
    for (const person of [alice, bob]) await expect(titles(person)).toHaveCount(stories.length)
  }

  test('it comes before the same story, wherever that has gone', async ({ relay, alice, bob }) => {
    await share(relay.url, alice, bob, 'A', 'B', 'C', 'D', 'E')
    await drags(alice, 'B', 'E')
    await removes(bob, 'A')
    await expect(titles(alice)).toHaveCount(4)
    await alice.page.mouse.up()
    await expect.poll(() => order(bob)).toBe('C D B E')
    await drags(alice, 'C', 'E')
    await removes(bob, 'E')
    await expect(titles(alice)).toHaveCount(3)
    await alice.page.mouse.up()
    await expect.poll(() => order(bob)).toBe('D B C')
  })

  test('it is let go when it is removed', async ({ relay, alice, bob }) => {
    await share(relay.url, alice, bob, 'A', 'B', 'C', 'D')
    await drags(alice, 'B', 'D')
    await removes(bob, 'B')
    await expect(titles(alice)).toHaveCount(3)
    await expect(await rowOf(alice, 'D')).not.toContainClass('before')
    await alice.page.mouse.up()
    await bob.page.getByRole('button', { name: 'Undo' }).last().click()
    await expect(titles(alice)).toHaveCount(4)
    await expect(await rowOf(alice, 'B')).not.toContainClass('dragged')
    await expect.poll(() => order(alice)).toBe('A B C D')
  })
})

test('a story that is held at the edge goes where the list has come to', async ({ relay, alice }) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.addsStory(...Array.from({ length: 30 }, (_, at) => `Story ${at + 1}`))
  const titles = alice.page.getByRole('textbox', { name: 'Title of the story' })
  const rows = alice.page.getByRole('listitem').filter({ has: titles })
  const last = titles.last()
  await expect(last).not.toBeInViewport()
  const grip = await rows.first().getByRole('presentation').boundingBox()
  if (!grip) throw new Error('The row is visible')
  await alice.page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2)
  await alice.page.mouse.down()
  await alice.page.mouse.move(grip.x + 40, (alice.page.viewportSize()?.height ?? 0) - 2, { steps: 6 })
  await expect(last).toBeInViewport({ ratio: 1 })
  await expect(rows.last()).toContainClass('after')
  await alice.page.mouse.up()
  await expect(last).toHaveValue('Story 1')
})

test('whoever writes in a title stays there while somebody else moves the story, and in the list when it is removed', async ({
  relay,
  alice,
  bob,
}) => {
  await bob.opens(await alice.startsAndInvites(relay.url))
  await bob.tellsName()
  await alice.addsStory('First', 'Second', 'Third')
  const titlesOf = ({ page }: Person) => page.getByRole('textbox', { name: 'Title of the story' })
  await expect(titlesOf(bob)).toHaveCount(3)
  await titlesOf(alice).first().focus()
  await alice.page.keyboard.press('Home')
  await titlesOf(bob).first().press('Alt+ArrowDown')
  await titlesOf(bob).nth(1).press('Alt+ArrowDown')
  await expect(titlesOf(alice).nth(2)).toHaveValue('First')
  await alice.page.keyboard.type('The ')
  await expect(titlesOf(alice).nth(2)).toHaveValue('The First')
  await bob.page.getByRole('button', { name: 'More for The First' }).click()
  await bob.page.getByRole('button', { name: 'Remove', exact: true }).click()
  await expect(titlesOf(alice)).toHaveCount(2)
  await alice.page.keyboard.press('Tab')
  await expect(alice.page.getByRole('region', { name: 'Backlog' }).locator(':focus')).toHaveCount(1)
})

test('title, key, link and notes are edited together, and only http and https become links', async ({
  relay,
  alice,
  bob,
}) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.addsStory('Search by date')
  await bob.opens(await alice.invitation())
  await bob.tellsName()
  for (const person of [alice, bob]) {
    await person.page.getByRole('button', { name: 'More for Search by date' }).click()
    await person.page.getByRole('button', { name: 'Details' }).click()
  }
  const [mine, theirs] = [alice.page.getByRole('dialog'), bob.page.getByRole('dialog')]
  await mine.getByLabel('Key').fill('APP-1')
  await mine.getByLabel('Link', { exact: true }).fill('javascript:alert(1)')
  await mine.getByLabel('Link', { exact: true }).press('Tab')
  await expect(mine.getByText('Only http and https addresses become links')).toBeVisible()
  await mine.getByText('Link template for all stories').click()
  await mine.getByLabel('Link template for all stories').last().fill('https://tracker.example/browse/{key}')
  await mine.getByLabel('Link template for all stories').last().press('Tab')
  await theirs.getByLabel('Notes').pressSequentially('from bob\n')
  await expect(mine.getByLabel('Notes')).toHaveValue('from bob\n') // or she would write into the middle of it
  await mine.getByLabel('Notes').press('End')
  await mine.getByLabel('Notes').pressSequentially('and alice')
  await expect(theirs.getByLabel('Notes')).toHaveValue(/from bob/)
  await expect(theirs.getByLabel('Notes')).toHaveValue(/and alice/)
  await theirs.getByRole('button', { name: 'Done' }).click()
  const link = bob.page.getByRole('link', { name: 'Open Search by date in the tracker' })
  await expect(link).toHaveAttribute('href', 'https://tracker.example/browse/APP-1')
})

test('a long backlog is searched and filtered', async ({ relay, alice }) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.addsStory(...Array.from({ length: 130 }, (_, at) => `Story number ${at + 1}`))
  const titles = alice.page.getByRole('textbox', { name: 'Title of the story' })
  await expect(titles).toHaveCount(100)
  await alice.page.getByRole('searchbox', { name: 'Search' }).fill('number 129')
  await expect(titles).toHaveCount(1)
  await expect(titles).toHaveValue('Story number 129')
  await alice.page.getByRole('combobox', { name: 'Show' }).selectOption('Estimated')
  await alice.sees('No story is like that.')
  await alice.page.getByRole('button', { name: 'Show all stories' }).click()
  await expect(titles.first()).toHaveValue('Story number 1')
})

test('among what was searched for a story moves past its neighbour there, and to the ends of the backlog', async ({
  relay,
  alice,
}) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.addsStory('1 red', '2', '3', '4 red', '5', '6 red', '7', '8')
  const titles = alice.page.getByRole('textbox', { name: 'Title of the story' })
  const search = alice.page.getByRole('searchbox', { name: 'Search' })
  const act = async (name: string) => alice.page.getByRole('button', { name, exact: true }).click()
  await search.fill('red')
  await expect(titles).toHaveCount(3)
  await act('More for 6 red')
  await act('Move up')
  await expect(titles.nth(1)).toHaveValue('6 red')
  await act('Move down')
  await expect(titles.nth(2)).toHaveValue('6 red')
  await act('Move to the bottom')
  await expect(alice.page.getByRole('button', { name: 'Move to the bottom' })).toBeDisabled()
  await search.fill('')
  await expect(titles).toHaveCount(8)
  expect(
    await titles.evaluateAll((fields) => fields.map((field) => (field as HTMLTextAreaElement).value)),
  ).toEqual(['1 red', '2', '3', '4 red', '5', '7', '8', '6 red'])
})

test('the rest of a long backlog comes where a busy browser tells late that its end is seen', async ({
  relay,
  alice,
}) => {
  await alice.page.addInitScript(() => {
    window.IntersectionObserver = class extends IntersectionObserver {
      constructor(told: IntersectionObserverCallback) {
        const late: IntersectionObserverEntry[] = []
        super((entries, observer) => {
          late.push(...entries)
          if (entries.some(({ isIntersecting }) => isIntersecting)) told(late.splice(0), observer)
        })
      }
    }
  })
  await alice.starts(relay.url)
  await alice.addsStory(...Array.from({ length: 230 }, (_, at) => `Story number ${at + 1}`))
  const titles = alice.page.getByRole('textbox', { name: 'Title of the story' })
  await expect(titles).toHaveCount(100)
  await alice.page.getByText('130 more stories').scrollIntoViewIfNeeded()
  await expect(titles).toHaveCount(200)
  await alice.page.getByText('30 more stories').scrollIntoViewIfNeeded()
  await expect(titles).toHaveCount(230)
})
