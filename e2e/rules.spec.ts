import { expect, test } from './people.ts'
import type { Person } from './person.ts'

// Keeping the app on the device takes a third of the work of a visit, and is not what is looked at here.
test.use({ serviceWorkers: 'block' })

async function setsRule(person: Person, rule: RegExp): Promise<void> {
  await person.opensMenu('Who decides')
  await person.page.getByRole('dialog').getByLabel(rule).check()
  await person.page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
}

test('facilitators only: others have no reveal, votes are carried over, and one takes over when the facilitator is gone', async ({
  relay,
  alice,
  bob,
  carol,
}) => {
  const link = await alice.startsAndInvites(relay.url)
  await bob.joins(link, '5')
  await carol.joins(link, '8')
  await setsRule(alice, /Facilitators only/)
  await bob.sees('Only facilitators reveal: alice')
  await expect(bob.card('5')).toHaveAttribute('aria-pressed', 'true')
  await expect(alice.seatOf(bob)).toContainText('has voted')
  await expect(bob.page.getByRole('button', { name: 'Reveal', exact: true })).toHaveCount(0)

  await alice.context.close()
  await bob.page.getByRole('button', { name: 'Take over' }).click()
  await carol.sees(/bob has taken over as facilitator/)
  await bob.reveals()
  await expect(carol.seatOf(bob)).toContainText('voted 5')
})

test('the cards turn by themselves when everybody present has voted', async ({ relay, alice, bob }) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await setsRule(alice, /Reveal by itself/)
  await bob.joins(await alice.invitation(), '3')
  // The last card turns them all within the second, and then there is no hand left to look at.
  await alice.card('5').click()
  await expect(bob.seatOf(alice)).toContainText('voted 5')
  await expect(alice.seatOf(bob)).toContainText('voted 3')
})

test('a round that goes on under other rules is the same round to everybody, with votes and without', async ({
  relay,
  alice,
  bob,
}) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await setsRule(alice, /Facilitators only/)
  await bob.joins(await alice.invitation(), '3')
  await expect(alice.seatOf(bob)).toContainText('has voted')
  await setsRule(alice, /Anybody/)
  await expect(bob.page.getByRole('button', { name: 'Reveal', exact: true })).toBeVisible()
  await expect(bob.card('3')).toHaveAttribute('aria-pressed', 'true')
  await alice.votes('5')
  await bob.reveals()
  await expect(alice.seatOf(bob)).toContainText('voted 3')
  await expect(bob.page.getByText('Round 2')).toHaveCount(0)
  await alice.opensMenu('Looking back')
  const dialog = alice.page.getByRole('dialog')
  await expect(dialog.getByText('Round 1')).toBeVisible()
  await expect(dialog.getByText('Round 2')).toHaveCount(0)
})

test('a facilitator makes somebody else one', async ({ relay, alice, bob }) => {
  await bob.joins(await alice.startsAndInvites(relay.url), '3')
  await setsRule(alice, /Facilitators only/)
  await bob.sees('Only facilitators reveal: alice')
  await alice.seatOf(bob).getByRole('button').click()
  await alice.page.getByRole('button', { name: 'Make facilitator' }).click()
  await expect(bob.page.getByRole('button', { name: 'Reveal', exact: true })).toBeVisible()
})

test('somebody who left is hidden, comes back by themselves and stays after a vote, and who just watches is counted nowhere', async ({
  relay,
  alice,
  bob,
  carol,
}) => {
  const link = await alice.startsAndInvites(relay.url)
  await bob.joins(link, '3')
  await carol.joins(link, '8')
  await carol.seatOf(carol).getByRole('button').click()
  await carol.page.getByRole('button', { name: 'Just watch' }).click()
  await expect(alice.seatOf(carol)).toHaveCount(0)
  await alice.sees('1 of 2 have voted')
  await bob.page.goto('about:blank')
  await expect(alice.seatOf(bob)).toContainText('away')
  await alice.seatOf(bob).getByRole('button').click()
  await alice.page.getByRole('button', { name: 'Hide from the table' }).click()
  await expect(alice.seatOf(bob)).toHaveCount(0)
  await bob.opens(link)
  await expect(alice.seatOf(bob)).toContainText('has voted')
  await bob.votes('5')
  await bob.page.goto('about:blank')
  await expect(alice.seatOf(bob)).toContainText('away')
})
