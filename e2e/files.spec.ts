import { readFile } from 'node:fs/promises'
import type { Download } from '@playwright/test'
import { expect, test } from './people.ts'
import type { Person } from './person.ts'

async function saves(person: Person, button: string): Promise<Download> {
  const [download] = await Promise.all([
    person.page.waitForEvent('download'),
    person.page.getByRole('dialog').getByRole('button', { name: button, exact: true }).click(),
  ])
  return download
}

const jira =
  'Summary,Issue key,Custom field (Story Points),Description\r\n"Search, by date",APP-1,5,"two\r\nlines"\r\nSign in,APP-2,,\r\n,,,nothing\r\n'

async function imports(person: Person, name: string, content: string | Buffer): Promise<void> {
  await person.opensMenu('Import …')
  await person.page
    .getByRole('dialog')
    .locator('input[type=file]')
    .setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(content) })
}

test('a CSV file is looked through, its columns chosen, imported, undone, and known the second time', async ({
  relay,
  alice,
  bob,
}) => {
  await bob.opens(await alice.startsAndInvites(relay.url))
  await imports(alice, 'jira.csv', jira)
  const dialog = alice.page.getByRole('dialog')
  await expect(dialog.getByRole('cell', { name: 'Search, by date' })).toBeVisible()
  await expect(dialog.getByText('1 line to look at')).toBeVisible()
  await dialog.getByLabel('Notes').selectOption('Not imported')
  await expect(dialog.getByRole('cell', { name: /two/ })).toHaveCount(0)
  await dialog.getByLabel('Notes').selectOption('Description')
  await dialog.getByRole('button', { name: 'Import 2 stories' }).click()
  await expect(dialog.getByText('2 stories are in the backlog now.')).toBeVisible()
  await dialog.getByRole('button', { name: 'Done' }).click()
  await expect(bob.page.getByRole('textbox', { name: 'Title of the story' }).first()).toHaveValue(
    'Search, by date',
  )
  await bob.sees('Earlier estimate 5')

  await imports(alice, 'jira.csv', `${jira}New,APP-3,,\r\n`)
  await expect(dialog.getByText('2 stories are in the backlog already')).toBeVisible()
  await dialog.getByRole('button', { name: 'Import 1 story' }).click()
  await dialog.getByRole('button', { name: 'Done' }).click()
  await expect(alice.page.getByRole('textbox', { name: 'Title of the story' })).toHaveCount(3)
  // The one of the first import may still be leaving.
  await alice.page.getByRole('button', { name: 'Undo' }).last().click()
  await expect(alice.page.getByRole('textbox', { name: 'Title of the story' })).toHaveCount(2)
})

test('on a phone the columns that do not fit are pushed into sight by key', async ({ relay, newcomer }) => {
  const alice = await newcomer('alice', { viewport: { width: 390, height: 844 } })
  await alice.starts(relay.url)
  await alice.tellsName()
  await imports(alice, 'jira.csv', jira)
  const preview = alice.page.getByRole('region', { name: 'The first 2 of 2 stories' })
  await expect(preview.getByRole('columnheader')).toHaveText(['Title', 'Key', 'Notes', 'Estimate'])
  const estimate = preview.getByRole('columnheader', { name: 'Estimate' })
  // A box that is scrolled by whole pixels may lack a fraction of one, as wide as the fonts make it.
  const ratio = 0.97
  await expect(estimate).not.toBeInViewport({ ratio })
  await preview.focus()
  await expect(async () => {
    await alice.page.keyboard.press('ArrowRight')
    await expect(estimate).toBeInViewport({ ratio, timeout: 200 })
  }).toPass()
})

test('titles that changed in the tracker are taken over when asked for, the estimate stays, and all of it is undone at once', async ({
  relay,
  alice,
}) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.addsStory('APP-1: Search')
  await alice.laysOut('Search')
  await alice.votes('5')
  await alice.reveals()
  await alice.settles('5')
  await imports(alice, 'jira.csv', 'Key,Summary\nAPP-1,Search by date\nAPP-2,Export\n')
  const dialog = alice.page.getByRole('dialog')
  await dialog.getByLabel('Take over 1 changed title').check()
  await dialog.getByRole('button', { name: 'Import 1 story' }).click()
  await expect(dialog.getByRole('status')).toHaveText(
    '1 story is in the backlog now. 1 title was taken over.',
  )
  await dialog.getByRole('button', { name: 'Done' }).click()
  const titles = alice.page.getByRole('textbox', { name: 'Title of the story' })
  await expect(titles).toHaveCount(2)
  await expect(titles.first()).toHaveValue('Search by date')
  await expect(alice.page.getByText('1 of 2 estimated')).toBeVisible()
  await alice.page.getByRole('button', { name: 'Undo' }).click()
  await expect(titles).toHaveCount(1)
  await expect(titles.first()).toHaveValue('Search')

  await imports(alice, 'jira.csv', 'Key,Summary\nAPP-1,Search by rank\n')
  await expect(dialog.getByText('Nothing new to add')).toBeVisible()
  await expect(dialog.getByRole('table')).toHaveCount(0)
  await dialog.getByLabel('Take over 1 changed title').check()
  await dialog.getByRole('button', { name: 'Import', exact: true }).click()
  await dialog.getByRole('button', { name: 'Done' }).click()
  await expect(alice.page.getByRole('status').filter({ hasText: '1 title was taken over.' })).toBeVisible()
  await expect(titles.first()).toHaveValue('Search by rank')
})

test('a pasted table opens the import, a pasted list becomes stories', async ({ relay, alice }) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.page.getByRole('textbox', { name: 'Add stories' }).fill('APP-1\tSearch\nAPP-2\tExport')
  await alice.page.getByRole('textbox', { name: 'Add stories' }).press('Enter')
  const dialog = alice.page.getByRole('dialog')
  await expect(dialog.getByRole('cell', { name: 'APP-2' })).toBeVisible()
  await dialog.getByRole('button', { name: 'Import 2 stories' }).click()
  await dialog.getByRole('button', { name: 'Done' }).click()
  await alice.addsStory('- One', '* Two')
  const titles = alice.page.getByRole('textbox', { name: 'Title of the story' })
  await expect(titles.last()).toHaveValue('Two')
  const field = alice.page.getByRole('textbox', { name: 'Add stories' })
  await field.fill('APP-3\nPrint\nAPP-4\nSign in')
  await alice.page.getByRole('button', { name: 'Add 2 stories' }).click()
  await expect(titles).toHaveCount(6)
  await alice.addsStory('[Sign out](https://tracker.example/5)')
  await expect(titles.last()).toHaveValue('Sign out')
})

test('a pasted table whose cells have several lines is one story a row, and columns of one name are told apart', async ({
  relay,
  alice,
}) => {
  await alice.starts(relay.url)
  await alice.tellsName()
  await alice.addsStory(
    'Issue key,Summary,Description,Label,Label',
    'APP-1,Search,"one',
    'two, three",,',
    'APP-2,Export,,,',
  )
  const dialog = alice.page.getByRole('dialog')
  await expect(dialog.getByRole('cell', { name: 'one two, three' })).toBeVisible()
  await expect(dialog.getByLabel('Notes').getByRole('option')).toHaveText([
    'Not imported',
    'Issue key',
    'Summary',
    'Description',
    'Label · Column 4',
    'Label · Column 5',
  ])
  await expect(dialog.getByRole('button', { name: 'Import 2 stories' })).toBeVisible()
})

test('a workbook is no backlog of strange letters', async ({ relay, alice }) => {
  await alice.starts(relay.url)
  await imports(
    alice,
    'backlog.xlsx',
    Buffer.from('PK\u0003\u0004\u0014\0\u0006\0 and, then\n some, more', 'latin1'),
  )
  const dialog = alice.page.getByRole('dialog')
  await expect(dialog.getByRole('alert')).toContainText('There is no story in this file.')
  await dialog
    .locator('input[type=file]')
    .setInputFiles({ name: 'a.csv', mimeType: 'text/csv', buffer: Buffer.from(jira) })
  await expect(dialog.getByRole('button', { name: 'Import 2 stories' })).toBeVisible()
})

test('the backlog leaves as CSV, Markdown and JSON, and comes back', async ({ relay, alice, bob }) => {
  await alice.starts(relay.url)
  await alice.page.getByLabel('Your name').fill('alice')
  await alice.votes('5')
  await alice.addsStory('=HYPERLINK("https://x.example")', 'Second')
  await alice.laysOut('Second')
  await alice.votes('8')
  await alice.reveals()
  await alice.settles('8')
  await alice.opensMenu('Export …')
  await expect(alice.page.getByRole('dialog')).toContainText('a session that nobody opened for 90 days')
  const csv = await readFile(await (await saves(alice, 'CSV')).path(), 'utf8')
  expect(csv).toContain(`"'=HYPERLINK`)
  expect(csv).toMatch(/,Second,8,settled,1,alice: 8,/)
  const markdown = await readFile(await (await saves(alice, 'Markdown')).path(), 'utf8')
  expect(markdown).toContain('| Second | 8 | 1 |')
  const json = await readFile(await (await saves(alice, 'JSON')).path(), 'utf8')
  await bob.starts(relay.url)
  await bob.tellsName()
  await imports(bob, 'backlog.json', json)
  await expect(bob.page.getByRole('dialog')).toContainText('Votes and rounds come only with a session file.')
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Import 2 stories' }).click()
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Done' }).click()
  await bob.sees('Earlier estimate 8')
})

test('a session file opens on another device without any relay: plain at once, encrypted with its invitation', async ({
  relay,
  alice,
  bob,
  carol,
}) => {
  await alice.starts(relay.url)
  await alice.page.getByLabel('Your name').fill('alice')
  await alice.votes('5')
  await alice.addsStory('Kept in a file')
  const link = await alice.invitation()
  await alice.opensMenu('Export …')
  const plain = await readFile(await (await saves(alice, 'Plain file')).path())
  const encrypted = await readFile(await (await saves(alice, 'Encrypted file')).path())
  expect(encrypted.includes('Kept in a file')).toBe(false)
  for (const person of [bob, carol]) {
    await person.page.goto(relay.url)
    await expect(person.page.getByRole('button', { name: 'Start a session' })).toBeVisible()
    await person.keepsTheApp()
    await person.page.reload()
  }
  await relay.stop()

  const file = (buffer: Buffer) => ({
    name: 'session.facedown',
    mimeType: 'application/octet-stream',
    buffer,
  })
  await bob.page.locator('input[type=file]').setInputFiles(file(plain))
  await expect(bob.page.getByRole('textbox', { name: 'Title of the story' })).toHaveValue('Kept in a file')
  await expect(bob.seatOf(alice)).toContainText('has voted')

  await carol.page.locator('input[type=file]').setInputFiles(file(encrypted))
  await carol.sees('This file is encrypted. Paste the invitation')
  await carol.page.getByRole('textbox', { name: 'Invitation' }).fill(link)
  await carol.page.getByRole('button', { name: 'Open', exact: true }).click()
  await expect(carol.page.getByRole('textbox', { name: 'Title of the story' })).toHaveValue('Kept in a file')
})

test('a damaged file and one that is none are told apart', async ({ relay, alice }) => {
  await alice.page.goto(relay.url)
  const chooses = (text: string) =>
    alice.page.locator('input[type=file]').setInputFiles({
      name: 'x.facedown',
      mimeType: 'application/octet-stream',
      buffer: Buffer.from(text, 'latin1'),
    })
  await chooses('Key,Summary')
  await alice.sees('This is not a Facedown session file.')
  await chooses('facedown\u0001\u0001 and then nothing')
  await alice.sees('This file is damaged')
})
