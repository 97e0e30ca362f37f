import { expect, test } from 'vitest'
import { Backlog } from '../../shared/backlog.ts'
import { decks } from '../../shared/deck.ts'
import { addStories, createDocument, writeField } from '../../shared/document.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { Ledger } from '../../shared/ledger.ts'
import { Participant } from '../../shared/participant.ts'
import { recordIdOf } from '../../shared/record.ts'
import { StoryViews } from './story-view.ts'

function backlog(...titles: string[]) {
  const doc = createDocument()
  const keys = createSessionKeys()
  const ledger = new Ledger(keys)
  const alice = new Participant(keys, new Uint8Array(32).fill(1), ledger)
  const stories = new Backlog(doc)
  const [first] = addStories(
    doc,
    titles.map((title) => ({ title })),
  )
  if (!first) throw new Error('There is a first story')
  const views = new StoryViews()
  const shown = (template = '') => views.of(stories.stories, ledger, alice.id, template)
  const add = (bytes: Uint8Array) => ledger.add(recordIdOf(bytes), bytes)
  return { doc, first, shown, add, alice }
}

test('a backlog that did not change is the same list', () => {
  const { shown } = backlog('one', 'two')
  expect(shown()).toBe(shown())
})

test('of two stories only the changed one is shown anew', () => {
  const { doc, first, shown } = backlog('one', 'two')
  const [one, two] = shown()
  writeField(doc, first, 'key', 'APP-1')
  expect(shown().map((view) => [one, two].includes(view))).toEqual([false, true])
  expect(shown()[0]?.key).toBe('APP-1')
})

test('a record, or another link template, shows them all anew', () => {
  const { first, shown, add, alice } = backlog('one')
  expect(shown()[0]?.round).toBe('none')
  add(alice.introduce('alice'))
  add(alice.startRound(first, decks[0]?.cards ?? []))
  expect(shown()[0]?.round).toBe('voting')
  const before = shown()
  expect(shown('https://tracker.example/{key}')).not.toBe(before)
})
