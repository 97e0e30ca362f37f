import { votesStored } from './inspect.ts'
import { expect, test } from './people.ts'

test('three people estimate a story to the end', async ({ relay, alice, bob, carol }) => {
  await alice.starts(relay.url)
  await alice.page.getByLabel('Your name').fill('alice')
  await alice.votes('5')
  const link = await alice.invitation()
  await bob.joins(link, '8')
  await carol.joins(link, '3')

  await expect(alice.seatOf(bob)).toContainText('has voted')
  await expect(alice.seatOf(carol)).toContainText('has voted')
  await expect(bob.seatOf(alice)).toContainText('has voted')
  await bob.reveals()
  for (const person of [alice, bob, carol]) {
    await expect(person.seatOf(alice)).toContainText('voted 5')
    await expect(person.seatOf(bob)).toContainText('voted 8')
    await expect(person.seatOf(carol)).toContainText('voted 3')
    await person.sees(/carol.*3.*bob.*8.*speak first/)
  }

  await alice.addsStory('Sign in with a passkey', 'Export as a file')
  await alice.laysOut('Sign in with a passkey')
  for (const person of [alice, bob, carol]) await person.votes('5')
  await carol.sees('Everybody has voted')
  await carol.reveals()
  await alice.sees('Consensus')
  await bob.settles('5')
  for (const person of [alice, bob, carol]) await person.sees(/Settled by/)
  await expect(carol.page.getByRole('img', { name: 'Estimate 5' })).toBeVisible()
})

test('from the link to the first vote it is one field and two actions', async ({ relay, alice, bob }) => {
  await alice.page.goto(relay.url)
  await alice.page.getByRole('button', { name: 'Start a session' }).click() // the first action
  await expect(alice.page.getByRole('textbox', { name: 'Your name' })).toHaveCount(1)
  await expect(alice.page.getByRole('list', { name: 'People at the table' })).toHaveText(/^\s*You\s*$/)
  await alice.page.getByLabel('Your name').fill('alice')
  await alice.card('3').click() // the second
  await expect(alice.seatOf(alice)).toContainText('has voted')

  await bob.page.goto(await alice.invitation()) // the first action
  await bob.page.getByLabel('Your name').fill('bob')
  await bob.card('2').click() // the second
  await expect(alice.seatOf(bob)).toContainText('has voted')
})

test('bob cannot see the card alice chose until the reveal, nor after she took it back', async ({
  relay,
  alice,
  bob,
}) => {
  await bob.joins(await alice.startsAndInvites(relay.url), '13')
  await alice.votes('5')
  await expect(bob.seatOf(alice)).toContainText('has voted')
  await expect(bob.seatOf(alice)).not.toContainText('voted 5')
  await alice.card('5').click()
  await expect(bob.seatOf(alice)).toContainText('has not voted yet')
  await bob.reveals()
  await expect(bob.seatOf(alice)).toContainText('did not vote')
  await expect(alice.seatOf(bob)).toContainText('voted 13')
})

for (const [shape, viewport] of Object.entries({
  laptop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
})) {
  test(`on a ${shape} whoever clicks twice on Reveal has revealed, and done nothing else`, async ({
    relay,
    newcomer,
  }) => {
    const alice = await newcomer('alice', { viewport })
    const { page } = alice
    await alice.starts(relay.url)
    await alice.tellsName()
    await alice.addsStory('First', 'Second')
    await alice.laysOut('First')
    await alice.votes('5')
    const reveal = page.getByRole('button', { name: 'Reveal', exact: true })
    await reveal.scrollIntoViewIfNeeded()
    const { x, y, width, height } = (await reveal.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
    for (const part of [0.25, 0.5, 0.75]) {
      const click = () => page.mouse.click(x + part * width, y + height / 2)
      await click()
      await expect(page.getByRole('button', { name: 'Settle at 5' })).toBeVisible()
      await click()
    }
    await expect(page.getByRole('heading', { level: 2 }).getByRole('textbox')).toHaveValue('First')
    await expect(page.getByRole('button', { name: 'Settle at 5' })).toBeVisible()
    await expect(page.getByText('Settled by')).toHaveCount(0)
    await expect(page.getByText('Round 2')).toHaveCount(0)
  })
}

test('voting again starts a new round and keeps the old one', async ({ relay, alice, bob }) => {
  await bob.joins(await alice.startsAndInvites(relay.url), '2')
  await alice.votes('13')
  await alice.sees('Everybody has voted')
  await alice.reveals()
  await bob.page.getByRole('button', { name: 'Vote again' }).click()
  await alice.sees('Round 2')
  await expect(alice.seatOf(bob)).toContainText('has not voted yet')
  await alice.votes('5')
  await bob.votes('5')
  await bob.sees('Everybody has voted')
  await bob.reveals()
  await alice.sees('Everybody chose the same card.')
})

test('five people who all chose differently see the whole result on a laptop without scrolling', async ({
  relay,
  newcomer,
}) => {
  const alice = await newcomer('alice', { viewport: { width: 1280, height: 800 } })
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.votes('1')
  const link = await alice.invitation()
  for (const [name, card] of Object.entries({ bob: '3', carol: '5', dave: '8', erin: '13' })) {
    await (await newcomer(name)).joins(link, card)
  }
  await alice.sees('Everybody has voted')
  await alice.reveals()
  await alice.sees('Agreement')
  await expect
    .poll(() => alice.page.evaluate(() => document.documentElement.scrollHeight - innerHeight))
    .toBeLessThanOrEqual(0)
})

test('a title is edited by two people at once', async ({ relay, alice, bob }) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.addsStory('Search')
  await bob.joins(await alice.invitation(), '2')
  const title = (page: typeof alice.page) => page.getByRole('textbox', { name: 'Title of the story' })
  await expect(title(bob.page)).toHaveValue('Search')
  await title(alice.page).press('End')
  await title(bob.page).press('Home')
  await Promise.all([
    title(alice.page).pressSequentially(' by date'),
    title(bob.page).pressSequentially('Fast '),
  ])
  for (const person of [alice, bob]) await expect(title(person.page)).toHaveValue('Fast Search by date')
})

test('two tabs of one person are one participant', async ({ relay, alice, bob }) => {
  const link = await alice.startsAndInvites(relay.url)
  await bob.joins(link, '1')
  const second = await bob.context.newPage()
  await second.goto(link)
  await expect(second.getByRole('button', { name: 'Card 1', exact: true })).toHaveAttribute(
    'aria-pressed',
    'true',
  )
  await expect(alice.seatOf(bob)).toHaveCount(1)
  await second.getByRole('button', { name: 'Card 8', exact: true }).click()
  await expect(bob.card('8')).toHaveAttribute('aria-pressed', 'true')
  await second.close()
  await expect.poll(() => votesStored(alice)).toBe(2)
  await alice.reveals()
  await expect(alice.seatOf(bob)).toContainText('voted 8')
})

test('an observer follows and can change nothing', async ({ relay, alice, newcomer }) => {
  await alice.starts(relay.url)
  await alice.page.getByLabel('Your name').fill('alice')
  await alice.votes('8')
  const dave = await newcomer('dave')
  await dave.opens(await alice.invitation('watch'))
  await expect(dave.seatOf(alice)).toContainText('has voted')
  await expect(dave.page.getByRole('toolbar', { name: 'Your hand' })).toHaveCount(0)
  await expect(dave.page.getByRole('button', { name: 'Reveal' })).toHaveCount(0)
  await expect(dave.page.getByRole('textbox')).toHaveCount(0)
  await alice.reveals()
  await expect(dave.seatOf(alice)).toContainText('voted 8')
})
