import { expect } from '@playwright/test'
import { backlog, colleagues, type Scene, type Stage } from './stage.ts'
import type { Team } from './team.ts'

const many = [
  ...colleagues,
  ...['Fatima', 'Goran', 'Hanna', 'Ibrahim', 'Jelena', 'Kenji', 'Lucía', 'Maximiliane von Hohenberg'],
  ...['Nadia', 'Ousmane', 'Priya', 'Quentin', 'Rosa', 'Sven', 'Tomás', 'Uma', 'Viktor', 'Wanjiru'],
]

/** A story on the table, voted on by the team in these cards. */
export async function votes(stage: Stage, hands: string, names: readonly string[] = colleagues) {
  const team = await stage.team(...names)
  const [story] = team.adds(...backlog)
  if (!story) throw new Error('Stories were added')
  const round = team.lays(story)
  team.vote(round, hands)
  return { team, round }
}

/** Votes and a reveal. */
async function reveals(stage: Stage, hands: string) {
  const voted = await votes(stage, hands)
  voted.team.reveal(voted.round)
  return voted
}

const watches = async (stage: Stage, team: Team) => (await stage.joins(team)).page

export const tables: Readonly<Record<string, Scene>> = {
  voting: async (stage) => {
    const { team } = await votes(stage, '5 8 - 5~')
    const ana = await stage.joins(team)
    await ana.votes('8')
    return ana.page
  },
  'voting-nobody': async (stage) => watches(stage, (await votes(stage, '-')).team),
  'voting-backlog': async (stage) => {
    const { team } = await votes(stage, '5 8 - 5')
    const page = await watches(stage, team)
    await page.getByRole('button', { name: 'More for Export the backlog as CSV' }).click()
    return page.getByRole('region', { name: 'Backlog', exact: true })
  },
  'reveal-anyway': async (stage) => {
    const { team } = await votes(stage, '5 8 - -')
    const page = await watches(stage, team)
    await page.getByRole('button', { name: 'Reveal', exact: true }).click()
    return page
  },
  'open-stories': async (stage) => {
    const { team } = await votes(stage, '5 8 - 5')
    for (const story of team.adds({ title: 'Search by date' }, { title: 'Invoices by e-mail' })) {
      team.vote(team.start(story), '3 5 - -')
    }
    const ana = await stage.joins(team)
    await ana.page.getByRole('button', { name: /Open, 2 votes.*Search by date/ }).click()
    await ana.votes('3')
    return ana.page
  },
  'open-stories-backlog': async (stage) => {
    const { team } = await votes(stage, '5 8 - 5')
    for (const story of team.adds({ title: 'Search by date' }, { title: 'Invoices by e-mail' })) {
      team.vote(team.start(story), '3 5 - -')
    }
    const page = await watches(stage, team)
    return page.getByRole('region', { name: 'Backlog', exact: true })
  },
  'revealed-consensus': async (stage) => watches(stage, (await reveals(stage, '5 5 5 5')).team),
  'revealed-spread': async (stage) => watches(stage, (await reveals(stage, '3 8 21 ?')).team),
  'revealed-unsure': async (stage) => watches(stage, (await reveals(stage, '5 8~ 5 ☕')).team),
  'revealed-result': async (stage) => {
    const page = await watches(stage, (await reveals(stage, '3 8~ 21 ?')).team)
    return page.getByRole('region', { name: 'Result' })
  },
  settled: async (stage) => {
    const { team, round } = await reveals(stage, '5 8 5 5')
    team.settle(round, '5')
    return watches(stage, team)
  },
  'late-vote': async (stage) => {
    const { team, round } = await reveals(stage, '5 8 5 -')
    team.vote(round, '- - - 13')
    const page = await watches(stage, team)
    await expect(page.getByText(/voted after the reveal/).first()).toBeVisible()
    return page
  },
  conflict: async (stage) => {
    const { team, round } = await reveals(stage, '5 8 5 8')
    team.settleApart(round, '5', '8')
    const page = await watches(stage, team)
    await expect(page.getByText('Two estimates').first()).toBeVisible()
    return page
  },
  crowd: async (stage) => {
    const hands = many.map((_, at) => (at % 5 === 4 ? '-' : '5')).join(' ')
    const ana = await stage.joins((await votes(stage, hands, many)).team)
    await ana.votes('8')
    return ana.page
  },
  'crowd-revealed': async (stage) => {
    const hands = many.map((_, at) => ['3', '5', '8', '13', '5', '?'][at % 6]).join(' ')
    const { team, round } = await votes(stage, hands, many)
    const page = await watches(stage, team)
    team.reveal(round)
    await expect(page.getByRole('region', { name: 'Result' })).toBeVisible()
    return page
  },
  'long-backlog': async (stage) => {
    const { team } = await votes(stage, '5 8 - 5')
    const stories = team.adds(
      ...Array.from({ length: 56 }, (_, at) => ({ title: `Story number ${at + 1}`, key: `APP-${at + 1}` })),
    )
    for (const [at, story] of stories.slice(0, 12).entries()) {
      team.plays(story, ['5 5 8 5'], ['3', '5', '8', '13'][at % 4] ?? '5')
    }
    const page = await watches(stage, team)
    await page.getByRole('searchbox', { name: 'Search' }).fill('number 1')
    return page.getByRole('region', { name: 'Backlog', exact: true })
  },
  'nothing-found': async (stage) => {
    const { team } = await votes(stage, '5 8 - 5')
    team.adds(...Array.from({ length: 20 }, (_, at) => ({ title: `Story number ${at + 1}` })))
    const page = await watches(stage, team)
    await page.getByRole('searchbox', { name: 'Search' }).fill('unicorn')
    return page.getByRole('region', { name: 'Backlog', exact: true })
  },
  projector: async (stage) => {
    const { team } = await votes(stage, '5 8 - 5')
    const ana = await stage.joins(team)
    await ana.opensMenu('Projector view')
    return ana.page
  },
  'projector-revealed': async (stage) => {
    const { team } = await reveals(stage, '5 8 5 13')
    const ana = await stage.joins(team)
    await ana.opensMenu('Projector view')
    return ana.page
  },
  observer: async (stage) => {
    const { team } = await votes(stage, '5 8 - 5')
    const dave = await stage.person('Dave')
    await dave.opens(team.link(stage.cable.url, 'observer'))
    await dave.sees('3 of 4 have voted')
    return dave.page
  },
  offline: async (stage) => {
    const { team } = await votes(stage, '5 8 - 5')
    const ana = await stage.joins(team)
    await expect(ana.status).toContainText('Saved at the relay')
    stage.cable.cut()
    await ana.sees('Offline')
    await ana.votes('5')
    return ana.page
  },
  'offline-details': async (stage) => {
    const { team } = await votes(stage, '5 8 - 5')
    const ana = await stage.joins(team)
    await expect(ana.status).toContainText('Saved at the relay')
    stage.cable.cut()
    await ana.sees('Offline')
    await ana.votes('5')
    await ana.status.click()
    return ana.page
  },
}
