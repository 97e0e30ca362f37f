import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { encrypt } from '../../shared/envelope.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import { Participant } from '../../shared/participant.ts'
import { encodeFromRelay, type FromRelay } from '../../shared/wire.ts'
import { muteSocket } from '../link/mute-socket.testing.ts'
import type { PlainSocket } from '../link/plain-socket.ts'
import { encodePresence } from '../link/presence.ts'
import { LiveSession } from './session.svelte.ts'
// A session fetches it, which takes a time that the clock of these tests does not know.
import './auto-reveal.ts'

/** By then it would have been revealed, in milliseconds. */
const later = 5_000

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Alice's session, where bob is connected, too, and cards are revealed when all have voted. `bob` adds his records. */
async function session() {
  const keys = createSessionKeys()
  let socket: PlainSocket | undefined
  const alice = await LiveSession.create({
    keys,
    seed: new Uint8Array(32).fill(1),
    rememberedName: 'alice',
    base: 'https://relay.example/',
    connect: () => {
      socket = muteSocket()
      return socket
    },
    rememberEstimates: () => {},
    remember: () => {},
    alone: true,
  })
  onTestFinished(() => alice.close())
  const { core } = alice
  const bob = new Participant(keys, new Uint8Array(32).fill(2), core.ledger)
  const tell = (message: FromRelay) => socket?.onmessage?.({ data: encodeFromRelay(message).slice().buffer })
  await vi.advanceTimersByTimeAsync(10)
  tell({ type: 'caughtUp', cursor: new Map(), log: 'kept', resumed: false })
  tell({ type: 'joined', connection: 7 })
  const envelope = encrypt(keys, 'signal', encodePresence({ participant: bob.id }))
  core.add(bob.introduce('bob'))
  tell({ type: 'signal', from: 7, envelope })
  alice.setRules({ who: 'anybody', auto: true, escrow: false })
  await vi.advanceTimersByTimeAsync(10)
  const votes = (card: number | undefined) => {
    const round = core.roundOnTable
    if (round) core.add(bob.choose(round.id, card === undefined ? undefined : { card, unsure: false }))
  }
  const starts = () => core.add(bob.startRound(undefined, alice.deck.cards))
  return { alice, core, votes, starts, phase: () => alice.table?.state.phase }
}

test('what all have voted on is revealed by itself', async () => {
  const { alice, votes, phase } = await session()
  alice.choose(3)
  votes(5)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(phase()).toBe('voting')
  await vi.advanceTimersByTimeAsync(later)
  expect(phase()).toBe('revealed')
})

test('a vote taken back during an import is not revealed, and one that is given after it is', async () => {
  const { alice, core, votes, phase } = await session()
  alice.choose(3)
  votes(5)
  await vi.advanceTimersByTimeAsync(500)
  const imported = core.quietly(() => new Promise<void>((resolve) => setTimeout(resolve, later)))
  votes(undefined)
  await vi.advanceTimersByTimeAsync(later)
  await imported
  await vi.advanceTimersByTimeAsync(later)
  expect(phase()).toBe('voting')
  votes(5)
  await vi.advanceTimersByTimeAsync(later)
  expect(phase()).toBe('revealed')
})

test('what is all voted on after an import that began before is revealed then', async () => {
  const { alice, core, votes, phase } = await session()
  alice.choose(3)
  votes(5)
  await vi.advanceTimersByTimeAsync(500)
  void core.quietly(() => new Promise<void>((resolve) => setTimeout(resolve, later)))
  await vi.advanceTimersByTimeAsync(later - 1_000)
  expect(phase()).toBe('voting')
  await vi.advanceTimersByTimeAsync(later)
  expect(phase()).toBe('revealed')
})

test('a round that goes on under other rules is not counted twice, and one that was revealed is', async () => {
  const { alice, phase } = await session()
  expect(alice.table?.earlier).toBe(0)
  alice.reveal()
  expect(phase()).toBe('revealed')
  expect(alice.table?.earlier).toBe(0)
  alice.voteAgain()
  expect(alice.table?.earlier).toBe(1)
  alice.undo()
  expect(alice.table?.earlier).toBe(0)
})

test('a round that bob started goes on, with the votes in it, when only facilitators may decide', async () => {
  const { alice, core, starts, phase } = await session()
  alice.reveal()
  const bobs = starts()
  alice.choose(3)
  expect(core.roundOnTable?.id).toBe(bobs)
  alice.setRules({ who: 'facilitators', auto: false, escrow: false })
  await vi.advanceTimersByTimeAsync(10)
  expect(phase()).toBe('voting')
  const { roundOnTable } = core
  expect(roundOnTable?.previous).toBe(bobs)
  expect(roundOnTable && core.participant.choiceIn(roundOnTable)).toEqual({ card: 3, unsure: false })
})
