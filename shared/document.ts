/** The shared document: what is where in the Y.Doc, and every edit of its plain parts. */

import { randomBytes } from '@noble/hashes/utils.js'
import { generateKeyBetween, generateNKeysBetween } from 'fractional-indexing'
import * as Y from 'yjs'
import { type Deck, defaultDeck } from './deck.ts'
import { decodeDeck, encodeDeck } from './deck-codec.ts'
import { parseStoryId, type StoryId, storyId } from './id.ts'
import { recordIdOf } from './record.ts'

export interface Story {
  readonly id: StoryId
  readonly title: string
  readonly order: string
}

/** Longer titles and names are cut when read: a foreign client may write anything. */
export const titleLimit = 2000
export const nameLimit = 80

export function recordsOf(doc: Y.Doc): Y.Map<unknown> {
  return doc.getMap('records')
}

export function storiesOf(doc: Y.Doc): Y.Map<unknown> {
  return doc.getMap('stories')
}

export function settingsOf(doc: Y.Doc): Y.Map<unknown> {
  return doc.getMap('settings')
}

export function addRecord(doc: Y.Doc, bytes: Uint8Array): void {
  const id = recordIdOf(bytes)
  if (!recordsOf(doc).has(id)) recordsOf(doc).set(id, bytes)
}

/** In backlog order, without the removed ones. */
export function readStories(doc: Y.Doc): Story[] {
  const stories: Story[] = []
  for (const [key, value] of storiesOf(doc).entries()) {
    const id = parseStoryId(key)
    if (!id || !(value instanceof Y.Map) || value.get('removed') === true) continue
    const order = value.get('order')
    const title = value.get('title')
    stories.push({
      id,
      title: title instanceof Y.Text ? title.toString().slice(0, titleLimit) : '',
      order: typeof order === 'string' ? order : '',
    })
  }
  return stories.sort((a, b) => compare(a.order, b.order) || compare(a.id, b.id))
}

export function titleOf(doc: Y.Doc, story: StoryId): Y.Text | undefined {
  const title = fieldsOf(doc, story)?.get('title')
  return title instanceof Y.Text ? title : undefined
}

export function addStories(doc: Y.Doc, titles: readonly string[]): StoryId[] {
  const orders = ordersAfter(readStories(doc).at(-1)?.order, titles.length)
  return doc.transact(() =>
    titles.map((title, at) => {
      const id = storyId(randomBytes(10))
      const fields = new Y.Map<unknown>()
      fields.set('title', new Y.Text(title.slice(0, titleLimit)))
      fields.set('order', orders[at])
      storiesOf(doc).set(id, fields)
      return id
    }),
  )
}

/** Places the story before another; undefined: last. */
export function moveStory(doc: Y.Doc, story: StoryId, before: StoryId | undefined): void {
  const others = readStories(doc).filter((other) => other.id !== story)
  const at = before ? others.findIndex((other) => other.id === before) : others.length
  if (at < 0) return
  fieldsOf(doc, story)?.set('order', orderBetween(others[at - 1]?.order, others[at]?.order))
}

export function markRemoved(doc: Y.Doc, story: StoryId, removed: boolean): void {
  fieldsOf(doc, story)?.set('removed', removed)
}

export function readName(doc: Y.Doc): string | undefined {
  const name = settingsOf(doc).get('name')
  return typeof name === 'string' && name.trim() !== '' ? name.slice(0, nameLimit) : undefined
}

export function writeName(doc: Y.Doc, name: string): void {
  settingsOf(doc).set('name', name.slice(0, nameLimit))
}

export function readDeck(doc: Y.Doc): Deck {
  const bytes = settingsOf(doc).get('deck')
  return (bytes instanceof Uint8Array && decodeDeck(bytes)) || defaultDeck
}

export function writeDeck(doc: Y.Doc, deck: Deck): void {
  settingsOf(doc).set('deck', encodeDeck(deck))
}

/** The story on everybody's table; undefined: the quick round. */
export function readLaid(doc: Y.Doc): StoryId | undefined {
  const laid = settingsOf(doc).get('laid')
  const id = typeof laid === 'string' ? parseStoryId(laid) : undefined
  return id && storiesOf(doc).has(id) ? id : undefined
}

export function writeLaid(doc: Y.Doc, story: StoryId | undefined): void {
  settingsOf(doc).set('laid', story ?? '')
}

function fieldsOf(doc: Y.Doc, story: StoryId): Y.Map<unknown> | undefined {
  const fields = storiesOf(doc).get(story)
  return fields instanceof Y.Map ? fields : undefined
}

function ordersAfter(last: string | undefined, count: number): string[] {
  try {
    return generateNKeysBetween(last ?? null, null, count)
  } catch {
    return generateNKeysBetween(null, null, count) // a foreign client wrote an order that is none
  }
}

/** Equal or broken neighbours have no place between them: then the story stands with the one before it. */
function orderBetween(before: string | undefined, after: string | undefined): string {
  try {
    return generateKeyBetween(before ?? null, after ?? null)
  } catch {
    return before ?? after ?? generateKeyBetween(null, null)
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
