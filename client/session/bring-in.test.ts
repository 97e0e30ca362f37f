import { expect, test } from 'vitest'
import { Backlog } from '../../shared/backlog.ts'
import { addStories, createDocument, titleOf } from '../../shared/document.ts'
import { type Brought, bringIn, takeOut } from './bring-in.ts'

test('new stories and changed titles come together and go together, but for a title somebody wrote in', async () => {
  const doc = createDocument()
  const core = { doc, backlog: new Backlog(doc) }
  const [search, print] = addStories(doc, [{ title: 'Search' }, { title: 'Print' }])
  if (!search || !print) throw new Error('Two stories were added')
  const titles = () => core.backlog.stories.map(({ title }) => title)
  const brought: Brought = {
    titles: [
      { story: search, title: 'Search by date' },
      { story: print, title: 'Print it' },
    ],
    added: [],
    before: [],
  }
  await bringIn(core, { ...brought, stories: [{ title: 'Export' }], progress: () => {}, signal: undefined })
  expect(titles()).toEqual(['Search by date', 'Print it', 'Export'])

  titleOf(doc, print)?.insert('Print it'.length, ' on A4')
  takeOut(core, brought)
  expect(titles()).toEqual(['Search', 'Print it on A4'])
})

test('once it is stopped, what came stays, and goes as a whole', async () => {
  const doc = createDocument()
  const core = { doc, backlog: new Backlog(doc) }
  const stories = Array.from({ length: 20_000 }, (_, at) => ({ title: `Story ${at}` }))
  const brought: Brought = { titles: [], added: [], before: [] }
  const stop = new AbortController()
  await bringIn(core, { ...brought, stories, progress: () => stop.abort(), signal: stop.signal })
  expect(core.backlog.stories.length).toBeGreaterThan(0)
  expect(core.backlog.stories.length).toBeLessThan(stories.length)
  takeOut(core, brought)
  expect(core.backlog.stories).toEqual([])
})
