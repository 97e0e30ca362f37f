import { type BrowserContextOptions, test as base, expect } from '@playwright/test'
import { Person } from './person.ts'
import { RelayProcess } from './relay.ts'
import { TcpProxy } from './tcp-proxy.ts'

interface People {
  readonly relay: RelayProcess
  readonly cable: TcpProxy
  readonly alice: Person
  readonly bob: Person
  readonly carol: Person
  readonly newcomer: (name: string, options?: BrowserContextOptions) => Promise<Person>
}

/** A relay of its own for each test, and people in separate browsers. Whatever goes wrong in a browser fails the test. */
export const test = base.extend<People>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants the pattern
  relay: async ({}, use) => {
    const relay = await RelayProcess.start()
    await use(relay)
    await relay.remove()
  },
  cable: async ({ relay }, use) => {
    const cable = await TcpProxy.start(relay.port)
    await use(cable)
    await cable.stop()
  },
  newcomer: async ({ browser }, use) => {
    const people: Person[] = []
    await use(async (name, options) => {
      const context = await browser.newContext(options)
      const person = new Person(name, await context.newPage(), context)
      people.push(person)
      return person
    })
    for (const person of people) await person.context.close()
    expect(people.flatMap((person) => person.problems)).toEqual([])
  },
  alice: async ({ newcomer }, use) => use(await newcomer('alice')),
  bob: async ({ newcomer }, use) => use(await newcomer('bob')),
  carol: async ({ newcomer }, use) => use(await newcomer('carol')),
})

export { expect } from '@playwright/test'
