/** What tests of a store write into it and read from it, of one session. */
import { expect, onTestFinished } from 'vitest'
import type { Cursor, Position } from '../../shared/cursor.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { hex, someEnvelope } from '../testing.ts'
import { checksumOf, markOf } from './hash.ts'
import type { Place } from './place.testing.ts'
import { type Entry, entryKinds, type NewEntry, type Page, type Release, type Store } from './store.ts'

export const { session } = createSessionKeys()

/** Closed when the test ends. */
export async function opened(place: Place, options?: { readonly sessionMaxBytes: number }): Promise<Store> {
  const store = await place.open(options)
  onTestFinished(() => store.close())
  return store
}

export async function write(store: Store, after: number, count: number, length?: number): Promise<Entry[]> {
  const entries = Array.from({ length: count }, (_, index) => entryAfter(after + index, length))
  const results = await Promise.all(entries.map((entry) => store.append(session, entry)))
  expect(results.map(({ outcome }) => outcome)).toEqual(entries.map(() => 'saved'))
  return entries.map(({ sequence, checksum, kind, envelope }) => ({
    position: { sequence, mark: markOf(checksum) },
    kind,
    envelope,
  }))
}

export function appendAll(store: Store, after: number, count: number, length: number) {
  const appending = Array.from({ length: count }, (_, index) =>
    store.append(session, entryAfter(after + index, length)),
  )
  return Promise.all(appending)
}

export async function read(store: Store, from?: Cursor, generation?: number) {
  const { resumed, snapshot, entries } = await readPage(store, from, generation)
  return {
    resumed,
    snapshot: snapshot && nameOf(snapshot.covers, snapshot.envelope),
    entries: names(entries),
  }
}

export async function readPage(store: Store, from: Cursor = new Map(), generation = 0): Promise<Page> {
  const page = await store.since(session, from, generation)
  if (page.outcome === 'refused') throw new Error(`The store is ${page.reason}`)
  if (page.outcome === 'deleted') throw new Error('The session was deleted')
  return page
}

export function put(
  store: Store,
  covers: Entry | undefined,
  replaces: Uint8Array | undefined,
  envelope: Uint8Array,
) {
  return store.putSnapshot(session, { covers: at(store, covers), replaces, envelope })
}

export function entryAfter(previous: number, length?: number): NewEntry {
  return newEntry(previous + 1, previous, someEnvelope(length))
}

export function newEntry(sequence: number, previous: number, envelope = someEnvelope()): NewEntry {
  return { sequence, previous, checksum: checksumOf(envelope), kind: entryKinds.change, envelope }
}

export const asker = new Uint8Array(176).fill(1)
export const otherAsker = new Uint8Array(176).fill(2)

export function bodyOf(release: Release): string {
  if (release.outcome !== 'released') throw new Error(`The release was ${release.outcome}`)
  return hex(release.body)
}

export function at(store: Store, entry: Entry | undefined): Cursor {
  return cursor(store, entry?.position)
}

/** Short enough to be compared and printed. */
export function names(entries: readonly (Entry | undefined)[]): string[] {
  return entries.map((entry) => nameOf(entry?.position, entry?.envelope))
}

export function snapshotName(covered: Entry | undefined, envelope: Uint8Array | undefined): string {
  return nameOf(covered?.position, envelope)
}

function nameOf(position: Position | undefined, envelope: Uint8Array = new Uint8Array()): string {
  return `${position?.sequence} ${hex(position?.mark)} ${hex(checksumOf(envelope))}`
}

/** Short enough to lie in one page of a file. */
export function middleOf(envelope: Uint8Array): Uint8Array {
  const middle = Math.floor(envelope.length / 2)
  return envelope.subarray(middle, middle + 24)
}

export function cursor(store: Store, position: Position | undefined): Cursor {
  return position ? new Map([[store.origin, position]]) : new Map()
}
