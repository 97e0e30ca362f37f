import { votesStored } from './inspect.ts'
import { isRough } from './network.ts'
import { expect, test } from './people.ts'

test('a deck of one’s own is made, shared and used from the next round; old rounds keep their cards', async ({
  relay,
  alice,
  bob,
}) => {
  await bob.joins(await alice.startsAndInvites(relay.url), '5')
  await alice.opensMenu('Decks')
  const dialog = alice.page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Make a deck', exact: true }).click()
  await dialog.getByLabel('Name of the deck').fill('Fruit')
  await dialog.getByLabel('More cards').fill('🍒 = 1, 🍎 = 3, 🍉 = 8, ?')
  await dialog.getByRole('button', { name: 'Save and use' }).click()
  await expect(bob.card('5')).toHaveAttribute('aria-pressed', 'true')
  await alice.reveals()
  await alice.page.getByRole('button', { name: 'Vote again' }).click()
  await bob.votes('🍎')
  await bob.opensMenu('Decks')
  await expect(bob.page.getByRole('dialog').getByText('Made by your team')).toBeVisible()
  await expect(bob.page.getByRole('dialog').getByRole('button', { name: /Fruit.*in use/ })).toBeVisible()
})

test('a new deck does not take the place of another one by its name', async ({ relay, alice }) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.makesDeck('Ours', [1, 2])
  await alice.opensMenu('Decks')
  const dialog = alice.page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Make a deck', exact: true }).click()
  await dialog.getByLabel('Name of the deck').fill('Ours')
  await dialog.getByLabel('More cards').fill('3;4')
  await dialog.getByRole('button', { name: 'Save and use' }).click()
  await expect(dialog.getByRole('alert')).toContainText('Another deck has this name already.')
  await dialog.getByRole('button', { name: 'Back', exact: true }).click()
  await dialog.getByRole('button', { name: 'Make a deck from Ours' }).click()
  await dialog.getByLabel('More cards').fill('8')
  await dialog.getByRole('button', { name: 'Save and use' }).click()
  await expect(alice.card('8')).toBeVisible()
})

test('a deck that was removed by mistake is taken back, on the device and for the team', async ({
  relay,
  alice,
  bob,
}) => {
  await bob.joins(await alice.startsAndInvites(relay.url), '5')
  await alice.makesDeck('Ours', [1, 2])
  await alice.opensMenu('Decks')
  const dialog = alice.page.getByRole('dialog')
  await dialog.getByRole('button', { name: /^Hours/ }).click()
  await alice.opensMenu('Decks')
  await bob.opensMenu('Decks')
  const remove = dialog.getByRole('button', { name: 'Remove the deck Ours' })
  const bobs = bob.page.getByRole('button', { name: 'Remove the deck Ours' })
  await expect(bobs).toBeVisible()
  await remove.click()
  await expect(remove).toHaveCount(0)
  await expect(bobs).toHaveCount(0)
  await dialog.getByRole('button', { name: 'Undo' }).click()
  await expect(remove).toBeVisible()
  await expect(bobs).toBeVisible()
  await expect(dialog.getByRole('status')).toHaveCount(0)
  expect(await alice.page.evaluate(() => localStorage.getItem('facedown.decks'))).toMatch(/./)
})

test('another deck is dealt at once where nobody has voted, and taken back; cards that lie face down stay', async ({
  relay,
  alice,
  bob,
}) => {
  const uses = async (deck: RegExp) => {
    await alice.opensMenu('Decks')
    await alice.page.getByRole('dialog').getByRole('button', { name: deck }).click()
  }
  await bob.opens(await alice.startsAndInvites(relay.url))
  await bob.tellsName()
  await uses(/^T-shirt/)
  await expect(bob.card('XL')).toBeVisible()
  await alice.page.getByRole('button', { name: 'Undo' }).click()
  await expect(bob.card('13')).toBeVisible()
  await uses(/^T-shirt/)
  await bob.votes('XL')
  await expect(alice.seatOf(bob)).toContainText('has voted')
  await uses(/^Hours/)
  await alice.sees('New rounds use the deck Hours.')
  await alice.votes('S')
  await expect(bob.card('XL')).toHaveAttribute('aria-pressed', 'true')
  await alice.reveals()
  await expect(bob.page.getByText('Round 2')).toHaveCount(0)
  await alice.opensMenu('Looking back')
  const dialog = alice.page.getByRole('dialog')
  await expect(dialog.getByText('Round 1')).toBeVisible()
  await expect(dialog.getByText('Round 2')).toHaveCount(0)
})

test('the first card of a large hand stays under the mouse that is about to choose it', async ({
  relay,
  alice,
}) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.addsStory('First')
  await alice.makesDeck(
    'Twenty',
    Array.from({ length: 20 }, (_, at) => at + 1),
  )
  await alice.laysOut('First')
  const first = alice.card('1')
  await first.scrollIntoViewIfNeeded()
  const { x, y, width, height } = (await first.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
  const middle = { x: x + width / 2, y: y + height / 2 }
  await alice.page.mouse.move(middle.x, middle.y)
  const isThere = await first.evaluate((card, { x, y }) => {
    for (const animation of card.getAnimations()) animation.finish()
    return card.contains(document.elementFromPoint(x, y))
  }, middle)
  expect(isThere).toBe(true)
  await alice.page.mouse.down()
  await alice.page.mouse.up()
  await expect(first).toHaveAttribute('aria-pressed', 'true')
})

test('looking back shows every round, how votes moved, the matrix and the summary', async ({
  relay,
  alice,
  bob,
}) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.addsStory('Search by date')
  await alice.laysOut('Search by date')
  await bob.joins(await alice.invitation(), '2')
  await alice.votes('8')
  await bob.page.getByRole('button', { name: 'Not sure' }).click()
  await expect.poll(() => votesStored(alice)).toBe(3)
  await alice.reveals()
  await alice.sees('Without the unsure ones: median 8')
  await alice.page.getByRole('button', { name: 'Vote again' }).click()
  await alice.votes('5')
  await bob.votes('5')
  await alice.sees('Everybody has voted')
  await alice.reveals()
  // What the panel shows is as it was when it opened.
  await expect(alice.seatOf(bob)).toContainText('voted 5')
  await alice.settles('5')
  await alice.opensMenu('Looking back')
  const dialog = alice.page.getByRole('dialog')
  await expect(dialog.getByText('bob was not sure.')).toBeVisible()
  await expect(dialog.getByText('alice: 8 → 5')).toBeVisible()
  await expect(dialog.getByText('bob: 2 → 5')).toBeVisible()
  await dialog.getByRole('tab', { name: 'Estimates' }).click()
  await expect(dialog.getByText('1 story')).toBeVisible()
  await dialog.getByRole('tab', { name: 'Summary' }).click()
  await expect(dialog.getByRole('table', { name: 'Stories by estimate' })).toBeVisible()
  await expect(dialog.getByText('Agreement from round to round')).toBeVisible()
})

test('an earlier story with the same card is remembered across the sessions of a device', async ({
  relay,
  alice,
}) => {
  await alice.starts(relay.url)
  await alice.page.getByLabel('Your name').fill('alice')
  await alice.votes('1')
  await alice.addsStory('Remember me')
  await alice.laysOut('Remember me')
  await alice.votes('8')
  await alice.reveals()
  await alice.settles('8')
  await expect(alice.status).toContainText('Saved at the relay')
  await alice.goesHome()
  await alice.page.getByRole('button', { name: 'Start a session' }).click()
  await alice.card('8').hover()
  await alice.sees('Earlier stories with 8')
  await alice.sees('Remember me')
})

// Reactions and nudges are of the moment: who has no connection when they happen misses them.
const calmly = test.extend({ rough: false })

calmly('a countdown, a reaction and a nudge reach the others', async ({ relay, alice, bob }) => {
  await bob.opens(await alice.startsAndInvites(relay.url))
  await bob.tellsName()
  await expect(alice.seatOf(bob)).toBeVisible()
  await alice.page.getByRole('button', { name: 'Countdown' }).click()
  await alice.page.getByRole('button', { name: '2 minutes' }).click()
  await expect(bob.page.getByRole('timer')).toContainText(/^(2:00|1:\d\d)$/)
  await bob.page.getByRole('button', { name: 'React', exact: true }).click()
  await bob.page.getByRole('button', { name: 'Hooray' }).click()
  await expect(alice.page.getByText('bob reacted with 🎉')).toBeAttached()
  await alice.seatOf(bob).getByRole('button').click()
  await alice.page.getByRole('button', { name: 'Ask to vote' }).click()
  await bob.sees('alice asks you to vote.')
})

test('on another device one is the same participant', async ({ relay, alice, bob, newcomer }) => {
  await bob.joins(await alice.startsAndInvites(relay.url), '5')
  await bob.opensMenu('Continue on my phone')
  const link = await bob.page.getByRole('dialog').getByRole('textbox').inputValue()
  const phone = await newcomer('bob')
  await phone.opens(link)
  await expect(phone.card('5')).toHaveAttribute('aria-pressed', 'true')
  await phone.votes('8')
  await expect(bob.card('8')).toHaveAttribute('aria-pressed', 'true')
  await expect(alice.seatOf(bob)).toHaveCount(1)
})

test('the projector view stays after a reload and is left with Esc', async ({ relay, alice }) => {
  await alice.starts(relay.url)
  await alice.page.getByLabel('Your name').fill('alice')
  await alice.votes('5')
  await alice.opensMenu('Projector view')
  await expect(alice.page.getByRole('toolbar', { name: 'Your hand' })).toHaveCount(0)
  await alice.page.reload()
  await expect(alice.page.getByRole('button', { name: 'Leave the projector view' })).toBeVisible()
  await alice.page.keyboard.press('Escape')
  await expect(alice.card('5')).toBeVisible()
})

test('a session is renamed and deleted from the home page; who comes later is told', async ({
  relay,
  alice,
  bob,
  carol,
}) => {
  await alice.starts(relay.url)
  await alice.page.getByLabel('Your name').fill('alice')
  await alice.votes('5')
  const link = await alice.invitation()
  await bob.joins(link, '3')
  await alice.goesHome()
  await alice.page.getByRole('button', { name: /^More for/ }).click()
  await alice.page.getByRole('button', { name: 'Rename' }).click()
  await alice.page.getByRole('textbox', { name: 'Name of the session' }).fill('Sprint 49')
  await alice.page.getByRole('button', { name: 'Save' }).click()
  await expect(bob.page.getByRole('textbox', { name: 'Name of the session' })).toHaveValue('Sprint 49')
  await alice.page.getByRole('button', { name: 'More for Sprint 49' }).click()
  await alice.page.getByRole('button', { name: 'Delete from the relay …' }).click()
  await alice.page.getByRole('button', { name: 'Delete for everybody' }).click()
  await alice.sees('The relay has deleted the session.')
  await expect(bob.page.locator('header').first()).toContainText('Refused by the relay')
  await expect(bob.card('3')).toHaveAttribute('aria-pressed', 'true')
  await carol.page.goto(link)
  await expect(carol.page.getByRole('heading', { name: 'This session was deleted' })).toBeVisible()
  await carol.sees('ask for its new link')
  await expect(carol.page.getByRole('button', { name: 'Try again' })).toHaveCount(0)
  await carol.page.getByRole('link', { name: 'Go to the home page' }).click()
  await expect(carol.page.getByRole('button', { name: 'Start a session' })).toBeVisible()
})

test('whose line breaks before the answer is told all the same that the session was deleted', async ({
  relay,
  cable,
  alice,
  bob,
}) => {
  await bob.joins((await alice.startsAndInvites(cable.url)).replace(cable.url, relay.url), '3')
  await expect(alice.seatOf(bob)).toContainText('has voted')
  await alice.goesHome()
  await alice.page.getByRole('button', { name: /^More for/ }).click()
  await alice.page.getByRole('button', { name: 'Delete from the relay …' }).click()
  if (!isRough) Object.assign(cable.weather, { latency: 1_000 })
  await alice.page.getByRole('button', { name: 'Delete for everybody' }).click()
  await expect(bob.page.locator('header').first()).toContainText('Refused by the relay', { timeout: 20_000 })
  cable.reset()
  Object.assign(cable.weather, { latency: 0 })
  await alice.sees('The relay has deleted the session.')
})

test('appearance and language are chosen and kept', async ({ relay, alice }) => {
  await alice.page.goto(relay.url)
  await alice.page.getByRole('button', { name: 'Settings' }).click()
  await alice.page.getByRole('radio', { name: 'Dark' }).check({ force: true })
  await expect(alice.page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await alice.page.getByRole('combobox', { name: 'Language' }).selectOption('Deutsch')
  await expect(alice.page.getByRole('button', { name: 'Session starten' })).toBeVisible()
  await alice.page.reload()
  await expect(alice.page.getByRole('button', { name: 'Session starten' })).toBeVisible()
  await expect(alice.page.locator('html')).toHaveAttribute('data-theme', 'dark')
})

test('everybody here sees the same, and says so, with two tabs open as well', async ({
  relay,
  alice,
  bob,
}) => {
  const link = await alice.startsAndInvites(relay.url)
  await bob.joins(link, '3')
  await (await alice.context.newPage()).goto(link)
  await alice.votes('5')
  await expect(alice.status).toContainText('Saved at the relay')
  await alice.status.click()
  await expect(alice.page.getByText('Everybody here sees the same.')).toBeVisible({ timeout: 20_000 })
})
