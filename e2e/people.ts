import { type BrowserContext, type BrowserContextOptions, test as base, expect } from '@playwright/test'
import config from '../playwright.config.ts'
import { secretsOf } from './inspect.ts'
import { isRough, Network } from './network.ts'
import { Person } from './person.ts'
import type { RelayProcess } from './relay.ts'
import type { TcpProxy } from './tcp-proxy.ts'

interface People {
  readonly network: Network
  /** `FACEDOWN_TRANSPORT=http`: everybody is in a network that blocks WebSockets, and has been there before. */
  readonly withoutSockets: boolean
  /** `FACEDOWN_NETWORK=rough`. A test that counts what passes, or cuts lines itself, says why it is not. */
  readonly rough: boolean
  readonly relay: RelayProcess
  readonly cable: TcpProxy
  readonly alice: Person
  readonly bob: Person
  readonly carol: Person
  readonly newcomer: (name: string, options?: BrowserContextOptions) => Promise<Person>
}

function knowWhatIsBlocked(): void {
  if (origin === 'null') return // no page of ours, and without storage
  localStorage.setItem('facedown.websockets-blocked-until /', String(Date.now() + 86_400_000))
}

/** A relay of its own for each test, and people in separate browsers. Whatever goes wrong in a browser fails the test. */
export const test = base.extend<People>({
  withoutSockets: [process.env.FACEDOWN_TRANSPORT === 'http', { option: true }],
  rough: [isRough, { option: true }],
  network: async ({ withoutSockets, rough }, use) => {
    const network = new Network(withoutSockets, rough)
    await use(network)
    await network.remove()
  },
  relay: async ({ network }, use) => use(await network.startRelay()),
  cable: async ({ network, relay }, use) => use(await network.layCable(relay)),
  newcomer: async ({ browser, network, withoutSockets, serviceWorkers }, use) => {
    const people: Person[] = []
    const secrets: Buffer[] = []
    await use(async (name, options) => {
      const context = await browser.newContext({ serviceWorkers, ...options })
      await reportViolations(context)
      if (withoutSockets) await context.addInitScript(knowWhatIsBlocked)
      const person = new Person(name, await context.newPage(), context)
      people.push(person)
      const close = context.close.bind(context)
      context.close = async (options) => {
        secrets.push(...(await secretsOf(person)))
        await close(options)
      }
      return person
    })
    await Promise.all(people.filter(({ isHere }) => isHere).map(({ context }) => context.close()))
    expect(people.flatMap((person) => faultsOf(person, network))).toEqual([])
    expect(network.whereabouts(secrets), 'where secrets of these people stand at the relay').toEqual([])
  },
  alice: async ({ newcomer }, use) => use(await newcomer('alice')),
  bob: async ({ newcomer }, use) => use(await newcomer('bob')),
  carol: async ({ newcomer }, use) => use(await newcomer('carol')),
})

/** Before a page of theirs opens: what it tries to do against its content policy becomes a problem of theirs. */
export async function reportViolations(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error(`The policy ${violatedDirective} was violated by ${blockedURI}`),
    )
  })
}

/** What should not have happened in their browser. */
export function faultsOf(person: Person, network: Network): string[] {
  const ofConnections =
    /^WebSocket connection to|^Failed to load resource: (?:net::ERR_|the server responded with a status of (?:410|502))|^An unknown error occurred when fetching the script\.$/
  const problems = person.problems.filter(
    (problem) => !person.isExpected(problem) && !(network.broke && ofConnections.test(problem)),
  )
  const strangers = [...person.origins].filter((origin) => !network.has(origin))
  return [...problems, ...strangers.map((origin) => `A request went to ${origin}`)].map(
    (fault) => `${person.name}: ${fault}`,
  )
}

const { launchOptions } = config.use ?? {}
/** For a certificate that nobody vouches for. */
export const trustingOptions = {
  ...launchOptions,
  args: [...(launchOptions?.args ?? []), '--ignore-certificate-errors'],
}

export { expect } from '@playwright/test'
