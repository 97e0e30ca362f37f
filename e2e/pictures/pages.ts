import { expect } from '@playwright/test'
import type { Person } from '../person.ts'
import type { Scene, Stage } from './stage.ts'

/** Ana on her home page, with sessions she has made. */
async function hasSessions(stage: Stage): Promise<Person> {
  const ana = await stage.person()
  for (const session of ['Sprint 46', 'Sprint 47: payments and everything around them', undefined]) {
    await ana.starts(stage.cable.url)
    if (session) {
      const name = ana.page.getByRole('textbox', { name: 'Name of the session' })
      await name.fill(session)
      await name.press('Enter')
    }
    await expect(ana.status).toContainText('Saved at the relay')
  }
  await ana.page.goto(stage.cable.url)
  await expect(ana.page.getByRole('button', { name: /^More for/ })).toHaveCount(3)
  return ana
}

async function problem(stage: Stage, address: string, heading: string): Promise<Person> {
  const ana = await stage.person()
  await ana.page.goto(address)
  await expect(ana.page.getByRole('heading', { name: heading })).toBeVisible()
  return ana
}

export const pages: Readonly<Record<string, Scene>> = {
  'home-empty': async (stage) => {
    const { page } = await stage.person()
    await page.goto(stage.cable.url)
    await expect(page.getByRole('button', { name: 'Start a session' })).toBeVisible()
    return page
  },
  'home-sessions': async (stage) => (await hasSessions(stage)).page,
  'home-session-menu': async (stage) => {
    const { page } = await hasSessions(stage)
    await page
      .getByRole('button', { name: /^More for/ })
      .first()
      .click()
    return page
  },
  'home-rename': async (stage) => {
    const { page } = await hasSessions(stage)
    await page
      .getByRole('button', { name: /^More for/ })
      .first()
      .click()
    await page.getByRole('button', { name: 'Rename' }).click()
    return page
  },
  'home-removed': async (stage) => {
    const { page } = await hasSessions(stage)
    await page
      .getByRole('button', { name: /^More for/ })
      .first()
      .click()
    await page.getByRole('button', { name: 'Remove from this device' }).click()
    return page
  },
  'delete-session': async (stage) => {
    const { page } = await hasSessions(stage)
    await page.getByRole('button', { name: 'More for Sprint 47' }).click()
    await page.getByRole('button', { name: 'Delete from the relay …' }).click()
    return page
  },
  'problem-unknown': async (stage) =>
    (await problem(stage, `${stage.cable.url}no/such/page`, 'There is nothing here')).page,
  'problem-damaged': async (stage) => {
    const team = await stage.team('Björn')
    return (await problem(stage, team.link(stage.cable.url).slice(0, -3), 'This link is damaged')).page
  },
  'problem-incomplete': async (stage) => {
    const team = await stage.team('Björn')
    const [address = ''] = team.link(stage.cable.url).split('#')
    return (await problem(stage, address, 'This link is not complete')).page
  },
  'alone-without-name': async (stage) => {
    const ana = await stage.person()
    await ana.starts(stage.cable.url)
    return ana.page
  },
  alone: async (stage) => {
    const ana = await stage.person()
    await ana.starts(stage.cable.url)
    await ana.tellsName()
    return ana.page
  },
}
