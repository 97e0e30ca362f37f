import { afterEach, expect, test, vi } from 'vitest'
import type { SessionCore } from '../../client/session/core.ts'
import { Chance } from '../../shared/testing.ts'
import type { Peer } from './peer.ts'
import { replaceGlobals, rule } from './virtual-globals.ts'
import type { StoreTrouble } from './virtual-store.ts'
import type { World } from './world.ts'

vi.mock('../../client/replica/replica.ts', () => import('./virtual-replica.ts'))
vi.mock('../../client/session/lazy-escrow.ts', () => import('./eager-escrow.ts'))
vi.mock('../../client/session/lazy-mending.ts', () => import('./eager-mending.ts'))
vi.mock('../../client/link/lazy-second-reading.ts', () => import('../../client/link/second-reading.ts'))
vi.mock('../../client/link/lazy-exchange.ts', () => import('./eager-exchange.ts'))
vi.mock('@noble/ed25519', () => import('../../shared/native-ed25519.testing.ts'))
vi.mock('node:crypto', async (original) => ({
  ...(await original<typeof import('node:crypto')>()),
  randomBytes: (length: number) => crypto.getRandomValues(Buffer.alloc(length)),
}))
replaceGlobals()
const { calm } = await import('./calm.ts')
const { contentOf } = await import('./peer.ts')
const { addStories, readStories } = await import('../../shared/document.ts')
const { VirtualClock } = await import('./virtual-clock.ts')
const { watchErrors } = await import('./watch-errors.ts')
const { World: SomeWorld } = await import('./world.ts')

/** In milliseconds: what a team waits for somebody who joins, and for a difference to be found and mended. */
const [soon, lasting] = [5_000, 30_000]

let leave = async () => {}
afterEach(() => leave())

/** A team that has worked for a while, then a relay without memory whose store is in trouble. */
async function teamWithout(trouble: Exclude<StoreTrouble, 'none'>, seed: number): Promise<World> {
  const chance = new Chance(seed)
  const failures: unknown[] = []
  const clock = new VirtualClock((error) => failures.push(error))
  const [release, stopWatching] = [rule({ clock, chance }), watchErrors((error) => failures.push(error))]
  const world = new SomeWorld(chance, clock)
  leave = async () => {
    for (const peer of world.peers) await peer.crash()
    stopWatching()
    release()
    expect(failures).toEqual([])
  }
  world.calm = true
  await world.begin()
  await ana(world).act(({ doc }) => void addStories(doc, [{ title: 'Kept by the store' }]))
  await clock.pass(soon)
  world.disk.trouble = trouble
  await ana(world).act(
    ({ doc }) => void addStories(doc, [{ title: 'Kept by nobody', notes: 'too long '.repeat(2000) }]),
  )
  await clock.pass(soon)
  for (const relay of world.relays) {
    relay.crash(false)
    await relay.start()
  }
  for (const peer of world.peers) await peer.act((core) => core.link?.retryNow())
  await clock.pass(soon)
  return world
}

function ana({ peers }: World): Peer {
  return peers[0] as Peer
}

function coreOf({ core }: Peer): SessionCore {
  if (!core) throw new Error('This device is off')
  return core
}

function haveTheSame(...peers: readonly Peer[]): boolean {
  return new Set(peers.map((peer) => contentOf(coreOf(peer).doc))).size === 1
}

test.each(['gone', 'readOnly'] as const)(
  'a team goes on while its store is %s: newcomers get the document from members, and all is saved when it is back',
  async (trouble) => {
    for (let seed = 1; seed <= 3; seed++) {
      const world = await teamWithout(trouble, seed)
      const { clock, peers } = world
      const nora = world.invite('nora', 'member')
      const otto = world.invite('otto', 'observer')
      await nora.start()
      await otto.start()
      await clock.pass(soon)
      expect(readStories(coreOf(nora).doc)).toHaveLength(2)
      expect(readStories(coreOf(otto).doc)).toHaveLength(2)

      await nora.act((core) => {
        const round = core.roundOnTable
        if (!round) throw new Error('Nothing is on the table')
        core.add(core.participant.introduce('nora'))
        core.vote(round, { card: 1, unsure: false })
      })
      await clock.pass(lasting)
      expect(haveTheSame(...peers)).toBe(true)
      for (const peer of peers) {
        expect(coreOf(peer).same, peer.name).toBe(true)
        expect(coreOf(peer).link?.state.state, peer.name).toBe('unkept')
      }
      expect(coreOf(nora).link?.waiting).toBeGreaterThan(0)
      await calm(world, () => {})
      await leave()
    }
  },
)

test('what does not fit into a full store any more reaches everybody all the same', async () => {
  const world = await teamWithout('full', 6)
  const nora = world.invite('nora', 'member')
  await nora.start()
  await world.clock.pass(lasting)
  expect(readStories(coreOf(nora).doc)).toHaveLength(2)
  expect(haveTheSame(...world.peers)).toBe(true)
  expect(coreOf(ana(world)).link?.waiting).toBeGreaterThan(0)
  await calm(world, () => {})
})

test('whoever comes back first finds the others later', async () => {
  const world = await teamWithout('gone', 7)
  const { clock, peers } = world
  for (const peer of peers) await peer.crash()
  const nora = world.invite('nora', 'member')
  await nora.start()
  await clock.pass(soon)
  expect(readStories(coreOf(nora).doc)).toHaveLength(0)
  await ana(world).start()
  await clock.pass(soon)
  expect(readStories(coreOf(nora).doc)).toHaveLength(2)
})

test('what an observer answers is no change', async () => {
  const world = await teamWithout('gone', 8)
  const { clock, peers } = world
  const otto = world.invite('otto', 'observer')
  await otto.start()
  await clock.pass(soon)
  for (const peer of peers) if (peer !== otto) await peer.crash()
  await otto.act(({ doc }) => void addStories(doc, [{ title: 'Written by an observer' }]))
  const nora = world.invite('nora', 'member')
  await nora.start()
  await clock.pass(lasting)
  expect(readStories(coreOf(nora).doc)).toHaveLength(0)
})
