import { expect, onTestFinished, test } from 'vitest'
import {
  moveStory,
  readLaid,
  readName,
  readStories,
  writeDeck,
  writeField,
  writeLaid,
  writeLinkTemplate,
  writeName,
} from '../../shared/document.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import type { PlainSocket } from '../link/relay-link.ts'
import { LiveSession } from './session.svelte.ts'

/** Alice's, with three stories. What is written to its document directly is what others do. */
async function session() {
  const socket: PlainSocket = {
    binaryType: '',
    readyState: 1,
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    send: () => {},
    close: () => {},
  }
  const alice = await LiveSession.create({
    keys: createSessionKeys(),
    seed: new Uint8Array(32).fill(1),
    rememberedName: 'alice',
    base: 'https://relay.example/',
    connect: () => socket,
    rememberEstimates: () => {},
    remember: () => {},
    alone: true,
  })
  onTestFinished(() => alice.close())
  alice.addStories([{ title: 'one' }, { title: 'two' }, { title: 'three' }])
  const { doc } = alice.core
  const stories = readStories(doc).map(({ id }) => id)
  const titles = () => readStories(doc).map(({ title }) => title)
  return { alice, doc, stories, titles }
}

const shirts = { name: 'shirts', cards: [{ label: 'S' }, { label: 'L' }] }
const thumbs = { name: 'thumbs', cards: [{ label: 'up' }, { label: 'down' }] }

test('what nobody else has touched is as it was before', async () => {
  const { alice, doc, stories, titles } = await session()
  const { deck } = alice
  const [one, two] = stories
  if (!one || !two) throw new Error('There are three')
  alice.rename('Sprint 12')
  alice.setLinkTemplate('https://tracker.example/{key}')
  alice.setKey(one, 'APP-1')
  alice.moveStory(one, undefined)
  alice.useDeck(shirts)
  alice.lay(two)
  for (let act = 0; act < 6; act++) alice.undo()
  expect(readName(doc) ?? '').toBe('')
  expect(alice.linkTemplate).toBe('')
  expect(readStories(doc)[0]).toMatchObject({ key: '' })
  expect(titles()).toEqual(['one', 'two', 'three'])
  expect(alice.deck).toEqual(deck)
  expect(readLaid(doc)).toBeUndefined()
})

test('what somebody else has put there since stays', async () => {
  const { alice, doc, stories, titles } = await session()
  const [one, two, three] = stories
  if (!one || !two || !three) throw new Error('There are three')
  alice.rename('Sprint 12')
  writeName(doc, 'Sprint 13')
  alice.undo()
  expect(readName(doc)).toBe('Sprint 13')

  alice.setLinkTemplate('https://old.example/{key}')
  writeLinkTemplate(doc, 'https://new.example/{key}')
  alice.undo()
  expect(alice.linkTemplate).toBe('https://new.example/{key}')

  alice.setKey(one, 'APP-1')
  writeField(doc, one, 'key', 'APP-2')
  alice.undo()
  expect(readStories(doc)[0]).toMatchObject({ key: 'APP-2' })

  alice.moveStory(one, undefined)
  moveStory(doc, one, three)
  alice.undo()
  expect(titles()).toEqual(['two', 'one', 'three'])

  alice.useDeck(shirts)
  writeDeck(doc, thumbs)
  alice.undo()
  expect(alice.deck).toMatchObject(thumbs)

  alice.lay(two)
  writeLaid(doc, three)
  alice.undo()
  expect(readLaid(doc)).toBe(three)
})
