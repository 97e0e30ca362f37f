import { type BrowserContext, expect, type Locator, type Page } from '@playwright/test'
import { reloadWhenCut } from './cut-pages.ts'
import { isRough } from './network.ts'
import { PolledFrames } from './polled-frames.ts'

/** One person in a browser of their own. */
export class Person {
  readonly name: string
  readonly page: Page
  readonly context: BrowserContext
  /** The binary frames of all their sockets, and of what stands for those where they are blocked. */
  readonly sent: Buffer[] = []
  readonly received: Buffer[] = []
  /** What went wrong in their browser: uncaught errors, console errors, violated policies. */
  readonly problems: string[] = []
  /** The origins their browser turned to. */
  readonly origins = new Set<string>()
  /** Until their browser is closed. */
  isHere = true
  readonly #expected: RegExp[] = []

  constructor(name: string, page: Page, context: BrowserContext) {
    this.name = name
    this.page = page
    this.context = context
    for (const opened of context.pages()) this.#watch(opened)
    context.on('close', () => {
      this.isHere = false
    })
    context.on('page', (opened) => this.#watch(opened))
    context.on('request', (request) => this.#turnsTo(request.url()))
    context.on('weberror', (error) => this.problems.push(String(error.error())))
    context.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(message.text())
    })
  }

  #watch(page: Page): void {
    if (isRough) reloadWhenCut(page)
    page.on('websocket', (socket) => {
      this.#turnsTo(socket.url())
      socket.on('framesent', ({ payload }) => this.sent.push(Buffer.from(payload)))
      socket.on('framereceived', ({ payload }) => this.received.push(Buffer.from(payload)))
    })
    const polled = new PolledFrames()
    page.on('request', (request) => this.sent.push(...polled.sentBy(request)))
    page.on('requestfinished', async (request) => this.received.push(...(await polled.receivedBy(request))))
  }

  #turnsTo(url: string): void {
    // What the page holds itself is nowhere else.
    if (!url.startsWith('data:')) this.origins.add(new URL(url.replace(/^ws/, 'http')).origin)
  }

  /** A problem that the test brings about. */
  expects(problem: RegExp): void {
    this.#expected.push(problem)
  }

  /** What went wrong until now was the test's own doing. */
  forgives(): void {
    this.problems.length = 0
    this.origins.clear()
  }

  isExpected(problem: string): boolean {
    return this.#expected.some((expected) => expected.test(problem))
  }

  /** Makes a session from the home page. */
  async starts(url: string): Promise<void> {
    await this.page.goto(url)
    await this.page.getByRole('button', { name: 'Start a session' }).click()
    await expect(this.card('5')).toBeVisible()
  }

  async opens(link: string): Promise<void> {
    await this.page.goto(link)
    await expect(this.page.getByRole('list', { name: 'People at the table' })).toBeAttached()
  }

  /** Types the name, chooses the card. */
  async joins(link: string, card: string): Promise<void> {
    await this.opens(link)
    await this.page.getByLabel('Your name').fill(this.name)
    await this.votes(card)
  }

  async tellsName(): Promise<void> {
    await this.page.getByLabel('Your name').fill(this.name)
    await this.page.getByLabel('Your name').press('Enter')
  }

  /** Makes a session, takes a seat, and has the link for others. */
  async startsAndInvites(url: string): Promise<string> {
    await this.starts(url)
    await this.tellsName()
    return await this.invitation()
  }

  async goesHome(): Promise<void> {
    await this.page.getByRole('link', { name: /All sessions/ }).click()
    await expect(this.page.getByRole('button', { name: 'Start a session' })).toBeVisible()
  }

  async votes(card: string): Promise<void> {
    await this.card(card).click()
    await expect(this.card(card)).toHaveAttribute('aria-pressed', 'true')
  }

  async reveals(): Promise<void> {
    await this.page.getByRole('button', { name: 'Reveal', exact: true }).click()
    const anyway = this.page.getByRole('button', { name: 'Reveal anyway' })
    await expect(anyway.or(this.page.getByRole('region', { name: 'Result' }))).toBeVisible()
    if (await anyway.isVisible()) await anyway.click()
  }

  async settles(card: string): Promise<void> {
    const settle = this.page.getByRole('button', { name: /^Settle at/ })
    if (!(await settle.textContent())?.includes(card)) {
      await this.page
        .getByRole('radio', { name: new RegExp(`(^|\\s)${card}$`) })
        .first()
        .check({ force: true })
    }
    await this.page.getByRole('button', { name: `Settle at ${card}` }).click()
  }

  async addsStory(...titles: string[]): Promise<void> {
    await this.page.getByRole('textbox', { name: 'Add stories' }).fill(titles.join('\n'))
    await this.page.getByRole('button', { name: /^Add( \d|$)/ }).click()
  }

  async laysOut(title: string): Promise<void> {
    await this.page.getByRole('button', { name: `Vote: ${title}` }).click()
  }

  /** Chooses an entry of the session's menu. */
  async opensMenu(entry: string): Promise<void> {
    await this.page.getByRole('button', { name: 'More', exact: true }).click()
    await this.page.locator('header').getByRole('button', { name: entry, exact: true }).click()
  }

  /** And plays with it from here on. */
  async makesDeck(name: string, cards: readonly (number | string)[]): Promise<void> {
    await this.opensMenu('Decks')
    const dialog = this.page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Make a deck', exact: true }).click()
    await dialog.getByLabel('Name of the deck').fill(name)
    await dialog.getByLabel('More cards').fill(cards.join(';'))
    await dialog.getByRole('button', { name: 'Save and use' }).click()
  }

  async invitation(kind: 'part' | 'watch' = 'part'): Promise<string> {
    await this.page.getByRole('button', { name: 'Invite', exact: true }).click()
    const link = await this.page
      .getByRole('textbox', { name: `Link to ${kind === 'part' ? 'take part' : 'watch'}` })
      .inputValue()
    await this.page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
    return link
  }

  card(label: string): Locator {
    return this.page.getByRole('button', { name: `Card ${label}`, exact: true })
  }

  seatOf(person: Person): Locator {
    return this.page
      .getByRole('list', { name: 'People at the table' })
      .getByRole('listitem')
      .filter({ hasText: person.name })
  }

  /** The pill that says where the changes are. */
  get status(): Locator {
    return this.page
      .locator('header')
      .getByRole('button', { name: /relay|Offline|Saving|Connecting|saved|wait/i })
  }

  /** Until the app lies on the device and opens without a network. */
  async keepsTheApp(): Promise<void> {
    await this.page.evaluate(() => navigator.serviceWorker.ready.then(() => {}))
    await this.page.waitForFunction(() => navigator.serviceWorker.controller !== null)
  }

  async sees(text: string | RegExp): Promise<void> {
    await expect(this.page.getByText(text).first()).toBeVisible()
  }
}
