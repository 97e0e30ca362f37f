import { beforeEach, expect, test } from 'vitest'
import type { Cursor, Position } from '../../shared/cursor.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { checksumOf, markOf } from '../store/hash.ts'
import { entryKinds } from '../store/store.ts'
import { deaf, someEnvelope } from '../testing.ts'
import type { Listener } from './lines.ts'
import type { Answers } from './questions.ts'
import { RegionSession } from './region-session.ts'

const { session: id } = createSessionKeys()
const origin = 'east-1'
const envelopes = [someEnvelope(), someEnvelope(), someEnvelope()] as const

/** How much of the east's stream the stores of the west have, the mirror being slower than the link. */
let mirrored: number
let readings: number
/** What happens while an answer of the stores is on its way. */
let meanwhile: () => void
let lines: Listener | undefined
/** What people of the room in the west hear. */
let heard: string[]
let session: RegionSession
beforeEach(async () => {
  mirrored = 1
  readings = 0
  meanwhile = () => {}
  heard = []
  session = new RegionSession(id, {
    region: 'west',
    lines: {
      listen: (_, listener) => {
        lines = listener
        return () => {}
      },
    },
    store: {
      head: async () => ({ outcome: 'heads', saved: end(), overQuota: undefined, applied: applied() }),
      since: async (_, cursor) => {
        const pages = pagesAfter(cursor)
        meanwhile()
        return pages
      },
    },
    presence: { asked: () => {}, heardJoined: () => {}, heardLeft: () => {}, heardHere: () => {} },
    failed: () => heard.push('failed'),
  })
  session.subscribe({
    ...deaf,
    entry: (_, at) => heard.push(`entry ${at?.get(origin)?.sequence}`),
    saved: (cursor) => heard.push(`saved ${cursor.get(origin)?.sequence}`),
  })
  await session.begun
})

test('what came over the link before carol, and to the stores after her, is told again before it counts as saved', async () => {
  said(2)
  expect(await sequencesRead()).toEqual([1])
  mirrored = 2
  saved(2)
  await expect.poll(() => heard).toEqual(['saved 1', 'entry 2', 'entry 2', 'saved 2'])
  said(3)
  mirrored = 3
  saved(3)
  expect(heard.slice(4)).toEqual(['entry 3', 'saved 3'])
  expect(await sequencesRead()).toEqual([1, 2, 3])
})

test('what is saved while a store answers without it is read again', async () => {
  said(2)
  meanwhile = () => {
    mirrored = 2
    saved(2)
  }
  expect(await sequencesRead()).toEqual([1, 2])
  expect(heard).toEqual(['saved 1', 'entry 2', 'saved 2'])
  expect(readings).toBe(2)
})

test('what a store has lost is not asked for without end', async () => {
  said(2)
  saved(2)
  expect(await sequencesRead()).toEqual([1])
  expect(readings).toBeLessThan(10)
})

test('whoever comes while nothing is missing reads once', async () => {
  said(2)
  mirrored = 2
  expect(await sequencesRead()).toEqual([1, 2])
  saved(2)
  expect(readings).toBe(1)
  expect(heard).toEqual(['saved 1', 'entry 2', 'saved 2'])
})

async function sequencesRead(): Promise<number[] | undefined> {
  const answer = await session.since(new Map(), 0)
  if (answer.outcome !== 'pages') throw new Error(answer.outcome)
  return answer.of.get(origin)?.entries.map(({ position }) => position.sequence)
}

function said(sequence: number): void {
  const message = { type: 'append', ref: 0, envelope: envelopeAt(sequence) } as const
  lines?.stated({ author: 1, message }, origin, sequence, sequence - 1)
}

function saved(sequence: number): void {
  const outcome = { outcome: 'saved', position: positionAt(sequence), compact: undefined } as const
  lines?.became({ sequence, of: 'append', outcome }, origin, 'west')
}

function pagesAfter(cursor: Cursor): Answers['since'] {
  readings++
  const after = cursor.get(origin)?.sequence ?? 0
  const entries = Array.from({ length: mirrored - after }, (_, at) => ({
    position: positionAt(after + at + 1),
    kind: entryKinds.change,
    envelope: envelopeAt(after + at + 1),
  }))
  const page = { outcome: 'page', resumed: true, snapshot: undefined, entries, more: false } as const
  const of = new Map([[origin, { ...page, upTo: positionAt(mirrored) }]])
  return { outcome: 'pages', resumed: true, of, applied: applied() }
}

function end(): Cursor {
  return new Map([[origin, positionAt(mirrored)]])
}

function applied(): ReadonlyMap<string, number> {
  return new Map([[origin, mirrored]])
}

function positionAt(sequence: number): Position {
  return { sequence, mark: markOf(checksumOf(envelopeAt(sequence))) }
}

function envelopeAt(sequence: number): Uint8Array {
  return envelopes[sequence - 1] ?? someEnvelope()
}
