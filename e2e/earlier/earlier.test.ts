/**
 * People do not update at the same moment. A client and a relay as each version of the wire was first spoken (`v1`) meet those of
 * today. RECORD=1 makes the recorded session anew, which is right only for a new version.
 */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import type { SessionCore } from '../../client/session/core.ts'
import { closeCodes } from '../../relay/connections/close-words.ts'
import { started } from '../../relay/fixtures.testing.ts'
import { addStories, readStories, recordsOf, writeLaid } from '../../shared/document.ts'
import { createSessionKeys, keysFor, keysFrom } from '../../shared/keys.ts'
import { cards } from '../../shared/testing.ts'
import { encodeFromRelay } from '../../shared/wire.ts'
import { seat } from '../faults/seated.ts'
import { until } from '../faults/trial.ts'
import { EarlierClient } from './v1/client.ts'
import { EarlierRelay } from './v1/relay.ts'

const recorded = new URL('./v1/session.txt', import.meta.url)
const secret = new Uint8Array(32).fill(1)
const owner = keysFrom('owner', secret, new Uint8Array())
const member = keysFor('member', owner)

test('what alice did with an earlier app everybody reads today, and she reads what they do', async () => {
  if (process.env.RECORD) await record()
  const relay = await started()
  const alice = new EarlierClient(relay.url, secret)
  await until(() => alice.caughtUp !== undefined, 'alice has read the log')
  expect(alice.caughtUp).toEqual({ isKept: true, resumed: false, entries: 0 })
  const frames = readFileSync(recorded, 'utf8').trim().split('\n')
  for (const frame of frames) alice.send(Buffer.from(frame, 'hex'))
  const answered = frames.filter((frame) => frame.startsWith('02') || frame.startsWith('06'))
  await until(() => alice.saved.size === answered.length, 'all that alice sent is saved')
  expect(alice.unsaved.size).toBe(0)

  const bob = await seat('bob', member, () => relay.url)
  await until(() => hasVoted(bob) === 1, 'bob sees that alice has voted')
  expect(readStories(bob.doc).map(({ title }) => title)).toEqual(['Search by date'])
  await until(() => alice.present.size === 1, 'alice sees that bob is here')
  bob.add(bob.participant.introduce('bob'))
  votes(bob, 3)
  await until(() => hasVoted(bob) === 2, 'bob has voted')
  reveals(bob)
  await until(() => countedBy(bob).length === 2, 'bob sees both cards')
  expect(countedBy(bob)).toEqual([2, 3])
  await until(() => alice.released === 1, 'alice hears that the key of her card was released')
  await until(() => missingOf(alice, bob).length === 0, 'alice has all that bob made')

  alice.leave()
  await until(() => alice.closed !== undefined, 'alice has left')
  const again = new EarlierClient(relay.url, secret, alice.cursor)
  await until(() => again.caughtUp !== undefined, 'alice is back')
  expect(again.caughtUp).toEqual({ isKept: true, resumed: true, entries: 0 })
  again.leave()
})

test('at an earlier relay people of today estimate as ever, also for who has left', async () => {
  const relay = await EarlierRelay.start()
  onTestFinished(() => relay.stop())
  const keys = createSessionKeys()
  const [alice, bob] = [
    await seat('alice', keys, () => relay.url),
    await seat('bob', keysFor('member', keys), () => relay.url),
  ]
  begins(alice)
  await until(() => bob.roundOnTable !== undefined, 'bob sees the round')
  bob.add(bob.participant.introduce('bob'))
  votes(alice, 2)
  votes(bob, 3)
  await until(() => hasVoted(bob) === 2 && isSaved(alice) && isSaved(bob), 'both have voted')
  await alice.close()
  await until(() => bob.here.size === 1, 'bob sees that alice has left')
  reveals(bob)
  await until(() => countedBy(bob).length === 2, 'bob sees both cards')
  expect(countedBy(bob)).toEqual([2, 3])
  const carol = await seat('carol', keysFor('observer', keys), () => relay.url)
  await until(() => carol.roundOnTable !== undefined && countedBy(carol).length === 2, 'carol sees them, too')
})

test('an app that the relay no longer speaks with is told so in a sentence, and does not seem to be offline', async () => {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: (offered) => [...offered][0] ?? false, // as every version does that speaks none of them
  })
  onTestFinished(() => void server.close())
  server.on('connection', (socket) => {
    const { code, words } = closeCodes.version
    socket.send(encodeFromRelay({ type: 'refuse', code, words }))
    socket.close(code, words)
  })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const alice = await seat('alice', createSessionKeys(), () => `http://127.0.0.1:${port}`)
  await until(() => alice.link?.state.state === 'refused', 'alice is refused')
  const { words } = closeCodes.version
  expect(alice.link?.state).toEqual({ state: 'refused', reason: 'version', words })
  const sentences = JSON.parse(
    readFileSync(new URL('../../client/locales/en/panels.json', import.meta.url), 'utf8'),
  )
  expect(sentences['refused.version']).toBe(words)
  expect(words).toMatch(/Reload the page/)
})

/** What an app of this version says to a relay, after its hello. */
async function record(): Promise<void> {
  const relay = await EarlierRelay.start()
  onTestFinished(() => relay.stop())
  const alice = await seat('alice', owner, () => relay.url)
  begins(alice)
  votes(alice, 2)
  const bob = await seat('bob', member, () => relay.url)
  await until(() => hasVoted(bob) === 1 && isSaved(alice), 'her vote is saved')
  await until(() => relay.heard.some((frame) => frame.startsWith('06')), 'the key of its box is kept')
  await Promise.all([alice.close(), bob.close()])
  writeFileSync(recorded, `${relay.heard.join('\n')}\n`)
}

function begins(core: SessionCore): void {
  core.add(core.participant.introduce('alice'))
  const [story] = addStories(core.doc, [{ title: 'Search by date' }])
  core.add(core.participant.startRound(story, cards), true)
  writeLaid(core.doc, story)
}

function votes(core: SessionCore, card: number): void {
  if (core.roundOnTable) core.vote(core.roundOnTable, { card, unsure: false })
}

function reveals(core: SessionCore): void {
  if (core.roundOnTable) core.reveal(core.roundOnTable)
}

function hasVoted(core: SessionCore): number {
  const state = core.roundOnTable && core.ledger.resolve(core.roundOnTable)
  return state?.phase === 'voting' ? state.voted.size : 0
}

/** The cards that everybody sees, lowest first. */
function countedBy(core: SessionCore): number[] {
  const state = core.roundOnTable && core.ledger.resolve(core.roundOnTable)
  if (!state || state.phase === 'voting') return []
  return [...state.votes.values()].flatMap((vote) => (vote.state === 'counted' ? vote.card : [])).sort()
}

function isSaved({ link }: SessionCore): boolean {
  return link?.state.state === 'connected' && link.connection !== undefined && link.waiting === 0
}

function missingOf(alice: EarlierClient, { doc }: SessionCore): string[] {
  const has = alice.doc.getMap('records')
  return [...recordsOf(doc).keys()].filter((id) => !has.has(id))
}
