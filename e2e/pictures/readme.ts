import { devices } from '@playwright/test'
import { standsStill } from './shapes.ts'
import type { Stage } from './stage.ts'
import { votes } from './tables.ts'

/** The two pictures of the README: a table where all cards are turned, and a hand on a phone. */
export async function takeForReadme(stage: Stage): Promise<void> {
  const { team } = await votes(stage, '8 5 3 5')
  const ana = await stage.joins(team)
  await ana.votes('5')
  await ana.reveals()
  await ana.page.mouse.move(1270, 790) // nothing is pointed at
  await standsStill(ana.page)
  await ana.page.screenshot({ path: 'e2e/pictures/table-desktop-light.png' })
  await stage.clear()

  const voting = await votes(stage, '5 5 3 -', ['Ana', 'Chiara', 'Dalia', 'Emeka'])
  const phone = { ...devices['Pixel 7'], deviceScaleFactor: 1.5, colorScheme: 'dark' as const }
  const björn = await stage.joins(voting.team, stage.person('Björn', phone))
  await björn.votes('8')
  await björn.sees('Opens even if you leave')
  await standsStill(björn.page)
  await björn.page.screenshot({ path: 'e2e/pictures/hand-phone-dark.png' })
}
