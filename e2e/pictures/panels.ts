import { expect, type Locator } from '@playwright/test'
import type { Person } from '../person.ts'
import { backlog, colleagues, type Scene, type Stage } from './stage.ts'
import { votes } from './tables.ts'
import type { Team } from './team.ts'

const csv = `Issue key,Summary,Story Points,Description
APP-201,"Search, by date",5,"Two lines
of notes"
APP-202,Invoices by e-mail,,
,,,nothing to call it by
APP-203,Sign out everywhere,8,,too many,cells
APP-204,A very long title that goes on and on until nobody can remember how it had begun in the first place,3,
`

/** A team that has estimated for a while, and Ana with them. */
async function seasoned(stage: Stage): Promise<{ team: Team; ana: Person }> {
  const team = await stage.team(...colleagues)
  const [first, second, third, fourth] = team.adds(...backlog, { title: 'Search by date' })
  if (!first || !second || !third || !fourth) throw new Error('Stories were added')
  team.plays(first, ['3 8 5~ 13', '5 8 5 5'], '5')
  team.plays(second, ['3 3 3 3'], '3')
  team.plays(third, ['13 5 21 ?', '8 8 13 8', '8 8 8 8'], '8')
  team.vote(team.lays(fourth), '5 8 - 5')
  return { team, ana: await stage.joins(team) }
}

/** A panel from the session's menu, after what somebody does in it. */
function panel(entry: string, act?: (dialog: Locator) => Promise<void>): Scene {
  return async (stage) => {
    const { ana } = await seasoned(stage)
    await ana.opensMenu(entry)
    const dialog = ana.page.getByRole('dialog')
    await expect(dialog).toBeVisible()
    await act?.(dialog)
    return ana.page
  }
}

function popover(button: string): Scene {
  return async (stage) => {
    const { ana } = await seasoned(stage)
    await ana.page.getByRole('button', { name: button, exact: true }).click()
    return ana.page
  }
}

const lookingBack = (part: string) =>
  panel('Looking back', (dialog) => dialog.getByRole('tab', { name: part }).click())

const chooses = (dialog: Locator) =>
  dialog
    .locator('input[type=file]')
    .setInputFiles({ name: 'jira.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) })

export const panels: Readonly<Record<string, Scene>> = {
  invite: async (stage) => {
    const { ana } = await seasoned(stage)
    await ana.page.getByRole('button', { name: 'Invite', exact: true }).click()
    await expect(ana.page.getByRole('dialog')).toBeVisible()
    return ana.page
  },
  decks: panel('Decks'),
  'deck-editor': panel('Decks', (dialog) =>
    dialog.getByRole('button', { name: 'Make a deck from Fibonacci', exact: true }).click(),
  ),
  'deck-editor-empty': panel('Decks', (dialog) =>
    dialog.getByRole('button', { name: 'Make a deck', exact: true }).click(),
  ),
  rules: panel('Who decides'),
  'rules-facilitators': async (stage) => {
    const ana = await stage.person()
    await ana.starts(stage.cable.url)
    await ana.tellsName()
    await ana.opensMenu('Who decides')
    await ana.page
      .getByRole('dialog')
      .getByLabel(/Facilitators only/)
      .check()
    return ana.page
  },
  'looking-back-rounds': lookingBack('Rounds'),
  'looking-back-estimates': lookingBack('Estimates'),
  'looking-back-summary': lookingBack('Summary'),
  'looking-back-empty': async (stage) => {
    const ana = await stage.person()
    await ana.starts(stage.cable.url)
    await ana.tellsName()
    await ana.opensMenu('Looking back')
    await ana.page.getByRole('dialog').getByRole('tab', { name: 'Summary' }).click()
    return ana.page
  },
  import: panel('Import …'),
  'import-preview': panel('Import …', chooses),
  'import-problems': panel('Import …', async (dialog) => {
    await chooses(dialog)
    await dialog.getByText(/lines? to look at/).click()
  }),
  export: panel('Export …'),
  phone: panel('Continue on my phone'),
  help: panel('Help'),
  settings: popover('Settings'),
  'session-menu': popover('More'),
  countdown: popover('Countdown'),
  reactions: popover('React'),
  saved: async (stage) => {
    const { ana } = await seasoned(stage)
    await expect(ana.status).toContainText('Saved at the relay')
    await ana.status.click()
    return ana.page
  },
  'deck-menu': async (stage) => {
    const { ana } = await seasoned(stage)
    await ana.page.getByRole('button', { name: /Fibonacci/ }).click()
    return ana.page
  },
  'backlog-menu': async (stage) => {
    const { ana } = await seasoned(stage)
    await ana.page.getByRole('button', { name: 'More for the backlog' }).click()
    return ana.page.getByRole('region', { name: 'Backlog', exact: true })
  },
  story: async (stage) => {
    const { ana } = await seasoned(stage)
    await ana.page.getByRole('button', { name: 'More for Sign in with a passkey' }).click()
    await ana.page.getByRole('button', { name: 'Details' }).click()
    await expect(ana.page.getByRole('dialog')).toBeVisible()
    return ana.page
  },
  'person-menu': async (stage) => {
    const { team } = await votes(stage, '5 - - 5')
    const ana = await stage.joins(team)
    await ana.page
      .getByRole('list', { name: 'People at the table' })
      .getByRole('listitem')
      .filter({ hasText: 'Chiara' })
      .getByRole('button')
      .click()
    return ana.page
  },
  'own-menu': async (stage) => {
    const { ana } = await seasoned(stage)
    await ana.seatOf(ana).getByRole('button').click()
    return ana.page
  },
  undo: async (stage) => {
    const { ana } = await seasoned(stage)
    await ana.addsStory('Something new')
    return ana.page
  },
}
