/** The shared document: what is where in the Y.Doc, and every edit of its plain parts. */

import { randomBytes } from '@noble/hashes/utils.js'
import { generateKeyBetween, generateNKeysBetween } from 'fractional-indexing'
import * as Y from 'yjs'
import { type Deck, defaultDeck } from './deck.ts'
import { decodeDeck, encodeDeck } from './deck-codec.ts'
import {
  type ParticipantId,
  parseRecordId,
  parseStoryId,
  type RecordId,
  type StoryId,
  storyId,
} from './id.ts'
import { recordIdOf } from './record.ts'

/** What a story is made of before it is in a session. */
export interface NewStory {
  readonly title: string
  /** What the tracker calls it. */
  readonly key?: string
  readonly link?: string
  readonly notes?: string
  /** An estimate it came with from elsewhere, as text: shown until the team settles its own. */
  readonly given?: string
}

export interface Story {
  readonly id: StoryId
  readonly title: string
  readonly key: string
  readonly link: string
  readonly given: string
  readonly hasNotes: boolean
  readonly order: string
}

/** Longer texts are cut when read: a foreign client may write anything. */
export const titleLimit = 2000
export const notesLimit = 20_000
/** In UTF-16 units, of which a name that the field accepts has never more than bytes. */
export const nameLimit = 320
export const keyLimit = 64
export const linkLimit = 2000

const maps = ['records', 'stories', 'settings', 'hidden', 'decks', 'times'] as const

/**
 * Yjs makes a map of what came under a name when it is first asked for one, and loses hold of what a foreign client linked
 * wrongly; then the document could not be written any more. So all are asked for at once. Where texts and maps are deleted that somebody
 * linked into wrongly Yjs throws when it collects them, and tells nobody of anything any more. The app deletes none, so they stay.
 */
export function createDocument(): Y.Doc {
  const doc = new Y.Doc({ gcFilter: ({ content }) => !(content instanceof Y.ContentType) })
  for (const name of maps) doc.getMap(name)
  return doc
}

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

/** Undefined for a removed story, and for what is none. */
export function readStory(key: string, value: unknown): Story | undefined {
  const id = parseStoryId(key)
  if (!id || !(value instanceof Y.Map) || value.get('removed') === true) return undefined
  const title = value.get('title')
  const notes = value.get('notes')
  return {
    id,
    title: title instanceof Y.Text ? title.toString().slice(0, titleLimit) : '',
    key: textIn(value, 'key', keyLimit),
    link: textIn(value, 'link', linkLimit),
    given: textIn(value, 'given', keyLimit),
    hasNotes: notes instanceof Y.Text && notes.length > 0,
    order: textIn(value, 'order', Number.POSITIVE_INFINITY),
  }
}

/** In backlog order, without the removed ones. */
export function readStories(doc: Y.Doc): Story[] {
  return [...storiesOf(doc).entries()].flatMap(([key, value]) => readStory(key, value) ?? []).sort(inOrder)
}

export function inOrder(a: Story, b: Story): number {
  return compare(a.order, b.order) || compare(a.id, b.id)
}

export function titleOf(doc: Y.Doc, story: StoryId): Y.Text | undefined {
  const title = fieldsOf(doc, story)?.get('title')
  return title instanceof Y.Text ? title : undefined
}

export function notesOf(doc: Y.Doc, story: StoryId): Y.Text | undefined {
  const notes = fieldsOf(doc, story)?.get('notes')
  return notes instanceof Y.Text ? notes : undefined
}

/** Behind the last story, whose place in the order is `last`, in this order. */
export function addStories(
  doc: Y.Doc,
  stories: readonly NewStory[],
  last = readStories(doc).at(-1)?.order,
): StoryId[] {
  const orders = ordersAfter(last, stories.length)
  return doc.transact(() =>
    stories.map((story, at) => {
      const id = storyId(randomBytes(10))
      const fields = new Y.Map<unknown>()
      fields.set('title', new Y.Text(story.title.slice(0, titleLimit)))
      // Made with the story: made later by two people at once, the notes of one would vanish.
      fields.set('notes', new Y.Text(story.notes?.slice(0, notesLimit)))
      fields.set('order', orders[at])
      for (const name of ['key', 'link', 'given'] as const) {
        const text = story[name]
        if (text) fields.set(name, text)
      }
      storiesOf(doc).set(id, fields)
      return id
    }),
  )
}

/** Places the story before another; undefined: last. Returns the place it had. */
export function moveStory(doc: Y.Doc, story: StoryId, before: StoryId | undefined): string | undefined {
  const others = readStories(doc).filter((other) => other.id !== story)
  const at = before ? others.findIndex((other) => other.id === before) : others.length
  if (at < 0) return undefined
  const had = readField(doc, story, 'order')
  writeField(doc, story, 'order', orderBetween(others[at - 1]?.order, others[at]?.order))
  return had
}

export function markRemoved(doc: Y.Doc, story: StoryId, removed: boolean): void {
  fieldsOf(doc, story)?.set('removed', removed)
}

export type StoryField = 'key' | 'link' | 'order'

export function readField(doc: Y.Doc, story: StoryId, field: StoryField): string {
  const fields = fieldsOf(doc, story)
  return fields ? textIn(fields, field, linkLimit) : ''
}

export function writeField(doc: Y.Doc, story: StoryId, field: StoryField, text: string): void {
  fieldsOf(doc, story)?.set(field, text.slice(0, linkLimit))
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

/** A countdown: `seconds` long, over at `ends` in the clock of whoever started it. */
export interface SharedTimer {
  readonly seconds: number
  readonly ends: number
}

const timerLimit = 60 * 60

export function readTimer(doc: Y.Doc): SharedTimer | undefined {
  const [seconds = 0, ends = 0] = textIn(settingsOf(doc), 'timer', 40).split(' ').map(Number)
  return seconds > 0 && seconds <= timerLimit && Number.isFinite(ends) ? { seconds, ends } : undefined
}

export function writeTimer(doc: Y.Doc, timer: SharedTimer | undefined): void {
  settingsOf(doc).set('timer', timer ? `${timer.seconds} ${timer.ends}` : '')
}

export function readLinkTemplate(doc: Y.Doc): string {
  return textIn(settingsOf(doc), 'linkTemplate', linkLimit)
}

export function writeLinkTemplate(doc: Y.Doc, template: string): void {
  settingsOf(doc).set('linkTemplate', template.slice(0, linkLimit))
}

function hiddenOf(doc: Y.Doc): Y.Map<unknown> {
  return doc.getMap('hidden')
}

/** Participants that somebody took from the table. Plain data: hiding decides nothing and anybody can undo it. */
export function readHidden(doc: Y.Doc): Set<string> {
  return new Set([...hiddenOf(doc).entries()].flatMap(([id, hidden]) => (hidden === true ? [id] : [])))
}

export function writeHidden(doc: Y.Doc, participant: ParticipantId, hidden: boolean): void {
  hiddenOf(doc).set(participant, hidden)
}

function decksOf(doc: Y.Doc): Y.Map<unknown> {
  return doc.getMap('decks')
}

/** The decks the team made for this session, by name. */
export function readTeamDecks(doc: Y.Doc): Deck[] {
  return [...decksOf(doc).values()]
    .flatMap((bytes) => (bytes instanceof Uint8Array && decodeDeck(bytes)) || [])
    .sort((a, b) => compare(a.name, b.name))
}

export function writeTeamDeck(doc: Y.Doc, deck: Deck): void {
  decksOf(doc).set(deck.name, encodeDeck(deck))
}

export function removeTeamDeck(doc: Y.Doc, name: string): void {
  decksOf(doc).delete(name)
}

function timesOf(doc: Y.Doc): Y.Map<unknown> {
  return doc.getMap('times')
}

/** When records were made, by their authors' clocks, in milliseconds. For statistics alone: no rule reads a clock. */
export function readTimes(doc: Y.Doc): Map<RecordId, number> {
  const times = new Map<RecordId, number>()
  for (const [key, time] of timesOf(doc).entries()) {
    const id = parseRecordId(key)
    if (id && typeof time === 'number' && Number.isFinite(time)) times.set(id, time)
  }
  return times
}

export function noteTime(doc: Y.Doc, record: RecordId, time: number): void {
  timesOf(doc).set(record, time)
}

function textIn(map: Y.Map<unknown>, name: string, limit: number): string {
  const text = map.get(name)
  return typeof text === 'string' ? text.slice(0, limit) : ''
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
