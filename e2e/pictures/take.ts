/** `npm run pictures`: the README's pictures, taken of a real session, and the other shapes beside them for looking at. */
import { type BrowserContextOptions, chromium, devices } from '@playwright/test'
import { findBrowser } from '../find-browser.mjs'
import { Person } from '../person.ts'
import { RelayProcess } from '../relay.ts'

const executablePath = findBrowser()
if (!executablePath) throw new Error('No browser found. Get one with: npx playwright install chromium')
const desktop: BrowserContextOptions = { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1 }
const phone: BrowserContextOptions = { ...devices['Pixel 7'], deviceScaleFactor: 1.5 }
const cards = ['5', '8', '5', '3', '5']

const relay = await RelayProcess.start()
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
try {
  const seat = async (name: string, options: BrowserContextOptions) => {
    const context = await browser.newContext({ locale: 'en-GB', ...options })
    return new Person(name, await context.newPage(), context)
  }
  const ana = await seat('Ana', { ...desktop, colorScheme: 'light' })
  const others = [
    await seat('Björn', { ...phone, colorScheme: 'dark' }),
    await seat('Chiara', { ...desktop, colorScheme: 'dark' }),
    await seat('Dalia', { ...phone, colorScheme: 'light' }),
    await seat('Emeka', desktop),
  ] as const
  const people = [ana, ...others]
  const take = async (scene: string) => {
    const shapes = [
      'table-desktop-light',
      'hand-phone-dark',
      'table-desktop-dark',
      'hand-phone-light',
    ] as const
    for (const [at, shape] of shapes.entries()) {
      const path = scene === 'readme' ? `e2e/pictures/${shape}.png` : `test-results/${scene}-${shape}.png`
      if (scene === 'readme' && at > 1) continue
      await people[at]?.page.screenshot({ path })
    }
  }
  await ana.page.goto(relay.url)
  await ana.page.screenshot({ path: 'test-results/home.png' })
  await ana.starts(relay.url)
  await ana.page.screenshot({ path: 'test-results/alone.png' })
  await ana.tellsName()
  await ana.addsStory(
    'Sign in with a passkey',
    'Export the backlog as CSV',
    'Keyboard shortcuts on the table',
    'Dark mode',
  )
  const name = ana.page.getByRole('textbox', { name: 'Name of the session' })
  await name.fill('Sprint 48')
  await name.press('Enter')
  await ana.laysOut('Sign in with a passkey')
  const link = await ana.invitation()
  for (const person of others) {
    await person.opens(link)
    await person.tellsName()
  }
  for (const [at, person] of people.slice(0, 4).entries()) await person.votes(cards[at] ?? '5')
  await ana.page.waitForTimeout(800) // cards are on their way to the table
  await take('voting')
  await people[1]?.page.screenshot({ path: 'e2e/pictures/hand-phone-dark.png' })
  await others[3].votes('5')
  await ana.reveals()
  await ana.page.waitForTimeout(1200) // cards turn, bars grow
  await take('revealed')
  await ana.page.screenshot({ path: 'e2e/pictures/table-desktop-light.png' })
  await ana.settles('5')
  await ana.page.waitForTimeout(800)
  await take('settled')
  await relay.stop()
  await ana.sees('Offline')
  await take('offline')
} finally {
  await browser.close()
  await relay.remove()
}
