import { expect, test } from 'vitest'
import { decodeReleased } from '../../shared/escrow.ts'
import { createSessionKeys } from '../../shared/keys.ts'
import type { FromRelay } from '../../shared/wire.ts'
import { askerOf, BareClient } from '../connections/bare-client.testing.ts'
import { newFolder } from '../fixtures.testing.ts'
import { type RelayProcess, startRelayProcess } from '../process.testing.ts'
import { hex, random } from '../testing.ts'

const kills = Number(process.env.KILLS ?? 100)

/** A key the store acknowledged, and the round it is for. */
interface Acknowledged {
  readonly round: Uint8Array
  readonly key: string
}

test(`after ${kills} kills between deposit, acknowledgement and release every acknowledged key comes out`, {
  timeout: 300_000,
}, async () => {
  const DATA_DIR = newFolder()
  const keys = createSessionKeys()
  const acknowledged: Acknowledged[] = []
  const askedFor: Uint8Array[] = []
  let cutReleases = 0

  let relay = await startRelayProcess({ DATA_DIR })
  const PORT = String(relay.port)
  for (let killed = 0; killed < kills; killed++) {
    const rounds = Array.from({ length: 3 }, () => random(16))
    const before = acknowledged.length
    const voting = voteUntilCut(relay, rounds)
    const revealing = revealUntilCut(relay)
    while (acknowledged.length === before) await new Promise((resolve) => setTimeout(resolve, 2))
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 40))
    await relay.end('SIGKILL')
    await Promise.all([voting, revealing])
    relay = await startRelayProcess({ DATA_DIR, PORT })
  }

  const client = await BareClient.join(relay.url, keys)
  for (const round of new Set(acknowledged.map(({ round }) => round))) {
    if (!(await answered(client, round))) throw new Error('The release was refused')
    await new Promise((resolve) => setTimeout(resolve, 6))
  }
  const released = new Map<string, Set<string>>()
  for (const frame of client.frames) {
    const { round, keys = [] } = (frame.type === 'released' && decodeReleased(frame.body)) || {}
    if (!round) continue
    const known = released.get(hex(round)) ?? new Set()
    for (const { key } of keys) known.add(hex(key))
    released.set(hex(round), known)
  }
  await client.leave()
  await relay.end('SIGTERM')
  const lost = acknowledged.filter(({ round, key }) => !released.get(hex(round))?.has(key))
  expect(lost).toEqual([])
  console.info(
    `${acknowledged.length} keys acknowledged, ${askedFor.length} releases, ${cutReleases} cut by a kill`,
  )
  expect(acknowledged.length).toBeGreaterThan(kills)
  expect(cutReleases).toBeGreaterThan(0)

  async function voteUntilCut(at: RelayProcess, rounds: Uint8Array[]): Promise<void> {
    await untilCut(async () => {
      const voter = await BareClient.join(at.url, keys)
      for (let ref = 1; ; ref++) {
        const round = rounds[ref % rounds.length] as Uint8Array
        const deposit = { round, seal: random(16), key: random(32), replaces: [] }
        voter.send({ type: 'deposit', ref, ...deposit })
        const answer = await answerTo(voter, ref)
        if (answer === 'saved') acknowledged.push({ round, key: hex(deposit.key) })
        else rounds[ref % rounds.length] = random(16) // released meanwhile
        await new Promise((resolve) => setTimeout(resolve, 6)) // a relay closes connections that send too fast
      }
    })
  }

  async function revealUntilCut(at: RelayProcess): Promise<void> {
    await untilCut(async () => {
      const revealer = await BareClient.join(at.url, keys)
      while (revealer.isOpen) {
        const round = acknowledged.at(-1)?.round
        await new Promise((resolve) => setTimeout(resolve, 3))
        if (!round || askedFor.includes(round)) continue
        askedFor.push(round)
        cutReleases++
        await answered(revealer, round)
        cutReleases--
      }
    })
  }

  async function answered(from: BareClient, round: Uint8Array): Promise<boolean> {
    const ref = 1_000_000 + askedFor.indexOf(round) + acknowledged.findIndex((one) => one.round === round)
    from.send({ type: 'release', ref, round, asker: askerOf(keys, round) })
    return (await answerTo(from, ref)) === 'saved'
  }
})

async function answerTo(client: BareClient, ref: number): Promise<string> {
  const isAnswer = (frame: FromRelay) =>
    (frame.type === 'saved' || frame.type === 'unsaved') && frame.ref === ref
  let from = Math.max(0, client.frames.length - 1)
  await client.until((frames) => {
    for (; from < frames.length; from++) if (frames[from] && isAnswer(frames[from] as FromRelay)) return true
    return false
  })
  return client.frames[from]?.type ?? 'nothing'
}

async function untilCut(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!/"code":1006|not open/.test(String(error))) throw error
  }
}
