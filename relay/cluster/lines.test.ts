import { queryObjects } from 'node:v8'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSessionKeys } from '../../shared/keys.ts'
import { someEnvelope } from '../testing.ts'
import { Lines } from './lines.ts'
import { encodeBulletin, type News } from './news.ts'
import type { Region } from './region.ts'

const { session } = createSessionKeys()
const origin = 'east-1'

type Acknowledge = (ack: { readonly stream: string; readonly seq: number }) => void

/** One for each statement that was made. */
let acknowledgements: Acknowledge[]
let hear: (error: null, message: { readonly subject: string; readonly data: Uint8Array }) => void
let lines: Lines
beforeEach(() => {
  vi.useFakeTimers()
  acknowledgements = []
  const connection = {
    isClosed: () => false,
    isDraining: () => false,
    subscribe: (_: string, { callback }: { readonly callback: typeof hear }) => {
      hear = callback
      return { unsubscribe: () => {} }
    },
  }
  const stream = {
    publish: () => new Promise((resolve: Acknowledge) => void acknowledgements.push(resolve)),
  }
  lines = new Lines({ name: 'east', isConnected: true, connection, stream } as unknown as Region)
})
afterEach(() => vi.useRealTimers())

test('what a store answers before the stream does is the answer', async () => {
  const answer = state()
  news(7)
  vi.advanceTimersByTime(1_500)
  news(8)
  acknowledgements[0]?.({ stream: `log-${origin}`, seq: 7 })
  expect(await answer).toMatchObject({ outcome: 'released' })
})

test('of a session in which somebody always speaks only the latest news are remembered', () => {
  void state()
  const before = queryObjects(Uint8Array, { format: 'count' })
  for (let sequence = 1; sequence <= 10_000; sequence++) {
    news(sequence)
    vi.advanceTimersByTime(10)
  }
  expect(queryObjects(Uint8Array, { format: 'count' }) - before).toBeLessThan(1_000)
})

function state() {
  const message = { type: 'append', ref: 0, envelope: someEnvelope() } as const
  return lines.state(session, { author: 1, message })
}

/** From another line than the stream's own announcements, so it is told after a moment. */
function news(sequence: number): void {
  const outcome = { outcome: 'released', position: undefined, body: new Uint8Array(16) } as const
  const one: News = { sequence, of: 'release', outcome }
  hear(null, {
    subject: `room.${session}.news`,
    data: encodeBulletin({ origin, region: 'east', news: [one] }),
  })
  vi.advanceTimersByTime(250)
}
