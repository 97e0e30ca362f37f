import { expect, onTestFinished, test } from 'vitest'
import * as Y from 'yjs'
import {
  moveStory,
  readLaid,
  readName,
  readStories,
  recordsOf,
  writeDeck,
  writeField,
  writeLaid,
  writeLinkTemplate,
  writeName,
} from '../../shared/document.ts'
import type { RoundId } from '../../shared/id.ts'
import { Device, ownerKeys } from '../../shared/testing.ts'
import { muteSocket } from '../link/mute-socket.testing.ts'
import { LiveSession } from './session.svelte.ts'

/** Alice's, with three stories. What is written to its document directly is what others do. */
async function session() {
  const alice = await LiveSession.create({
    keys: ownerKeys,
    seed: new Uint8Array(32).fill(1),
    rememberedName: 'alice',
    base: 'https://relay.example/',
    connect: muteSocket,
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

/** Bob, who has heard everything, votes in a round. */
function bobVotes({ core }: LiveSession, round: RoundId): void {
  const bob = new Device('bob').introduces()
  for (const [key, bytes] of recordsOf(core.doc)) bob.ledger.add(key, bytes as Uint8Array)
  bob.votes(round, '5')
  Y.applyUpdate(core.doc, Y.encodeStateAsUpdate(bob.doc))
}

test.each([
  ['votes again', 'votedAgain', (alice: LiveSession) => alice.voteAgain()],
  [
    'opens a round',
    'started',
    (alice: LiveSession) => alice.openStories(alice.stories.slice(2).map(({ id }) => id)),
  ],
  ['lays a story', undefined, (alice: LiveSession) => alice.lay(alice.stories[0]?.id)],
])('when alice %s, that can be undone until somebody else has voted', async (_, offered, begin) => {
  for (const isOvertaken of [false, true]) {
    const { alice } = await session()
    const { ledger } = alice.core
    const before = ledger.roundIds()
    begin(alice)
    const [started] = ledger.roundIds().filter((round) => !before.includes(round))
    if (!started) throw new Error('It starts a round')
    if (isOvertaken) bobVotes(alice, started)
    expect(alice.undoable?.act).toBe(isOvertaken ? undefined : offered)
    alice.undo()
    expect(ledger.withdrawn(started)).toBe(!isOvertaken)
  }
})
