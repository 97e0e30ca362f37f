import { type Browser, type BrowserContextOptions, chromium } from '@playwright/test'
import { findBrowser } from '../find-browser.mjs'
import { Person } from '../person.ts'
import { RelayProcess } from '../relay.ts'
import { TcpProxy } from '../tcp-proxy.ts'
import { desktop, type Sight } from './shapes.ts'
import { Team } from './team.ts'

/** Sets up what one picture shows. */
export type Scene = (stage: Stage) => Promise<Sight>

export const colleagues = ['Björn', 'Chiara', 'Dalia', 'Emeka']
export const backlog = [
  { title: 'Sign in with a passkey', key: 'APP-101', link: 'https://tracker.example/APP-101' },
  { title: 'Export the backlog as CSV', key: 'APP-102' },
  { title: 'Keyboard shortcuts on the table', notes: 'Enter reveals, digits choose.' },
  { title: 'Dark mode', given: '5' },
]

/** Where pictures are taken: a relay, a browser, and who is there for one picture. */
export class Stage {
  readonly relay: RelayProcess
  /** Between browsers and the relay: cut, they are offline. */
  readonly cable: TcpProxy
  readonly #browser: Browser
  readonly #there: (() => Promise<void> | void)[] = []

  private constructor(relay: RelayProcess, cable: TcpProxy, browser: Browser) {
    this.relay = relay
    this.cable = cable
    this.#browser = browser
  }

  static async start(): Promise<Stage> {
    const executablePath = findBrowser()
    if (!executablePath) throw new Error('No browser found. Get one with: npx playwright install chromium')
    const relay = await RelayProcess.start()
    const cable = await TcpProxy.start(relay.port)
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
    return new Stage(relay, cable, browser)
  }

  async stop(): Promise<void> {
    await this.clear()
    await this.#browser.close()
    await this.cable.stop()
    await this.relay.remove()
  }

  /** Everybody goes; the next picture begins with an empty stage. */
  async clear(): Promise<void> {
    this.cable.mend()
    for (const leave of this.#there.splice(0)) await leave()
  }

  async person(name = 'Ana', options: BrowserContextOptions = {}): Promise<Person> {
    const context = await this.#browser.newContext({
      locale: 'en-GB',
      viewport: desktop,
      reducedMotion: 'reduce',
      ...options,
    })
    context.setDefaultTimeout(10_000)
    // No browser gives a page that fills the screen another shape.
    await context.addInitScript(() => Reflect.deleteProperty(Element.prototype, 'requestFullscreen'))
    this.#there.push(() => context.close())
    return new Person(name, await context.newPage(), context)
  }

  /** A session with a backlog, and these people in it. */
  async team(...names: string[]): Promise<Team> {
    const team = await Team.gather(this.relay.url, ...names)
    this.#there.push(() => team.leave())
    team.names('Sprint 48')
    return team
  }

  /** Somebody with a browser sits down with the team. */
  async joins(team: Team, person: Promise<Person> = this.person()): Promise<Person> {
    const joined = await person
    await joined.opens(team.link(this.cable.url))
    await joined.tellsName()
    return joined
  }
}
