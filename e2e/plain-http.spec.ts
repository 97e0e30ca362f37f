import { chromium } from '@playwright/test'
import { expect, faultsOf, reportViolations, test } from './people.ts'
import { Person } from './person.ts'

test('the app works over plain http on a LAN address, where browsers have no crypto.subtle', async ({
  network,
  relay,
}, info) => {
  // A name that resolves to this machine, but that a browser does not trust as it does localhost.
  const lan = relay.url.replace('localhost', 'relay.lan')
  network.allow(lan)
  const options = info.project.use.launchOptions
  const browser = await chromium.launch({
    ...options,
    args: [...(options?.args ?? []), '--host-resolver-rules=MAP relay.lan 127.0.0.1'],
  })
  try {
    const people: Person[] = []
    for (const name of ['alice', 'bob']) {
      const context = await browser.newContext({ locale: 'en-GB' })
      await reportViolations(context)
      const person = new Person(name, await context.newPage(), context)
      person.expects(/Cross-Origin-Opener-Policy header has been ignored/) // it needs https
      people.push(person)
    }
    const [alice, bob] = people as [Person, Person]
    await alice.starts(lan)
    expect(await alice.page.evaluate(() => [isSecureContext, typeof crypto.subtle])).toEqual([
      false,
      'undefined',
    ])
    await alice.page.getByLabel('Your name').fill('alice')
    await alice.votes('5')
    await bob.joins(await alice.invitation(), '8')
    await expect(alice.seatOf(bob)).toContainText('has voted')
    await alice.reveals()
    await expect(bob.seatOf(alice)).toContainText('voted 5')
    await expect(bob.status).toContainText('relay')
    expect(people.flatMap((person) => faultsOf(person, network))).toEqual([])
  } finally {
    await browser.close()
  }
})
