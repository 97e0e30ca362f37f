import { expect } from '@playwright/test'
import type { Person } from './person.ts'

/** The least that must work at an address: two people estimate something, and it is saved. */
export async function meet(url: string, alice: Person, bob: Person): Promise<void> {
  await alice.starts(url)
  expect(alice.page.url()).toContain(new URL('s/', url).href)
  await alice.page.getByLabel('Your name').fill('alice')
  await alice.votes('8')
  const invitation = await alice.invitation()
  expect(invitation).toContain(new URL('s/', url).href)
  await bob.joins(invitation, '5')
  await expect(alice.seatOf(bob)).toContainText('voted')
  await alice.reveals()
  await expect(alice.seatOf(bob)).toContainText('voted 5')
  await alice.settles('8')
  await expect(bob.status).toContainText('Saved at the relay')
}
