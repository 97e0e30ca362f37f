import * as Y from 'yjs'
import { keysFor } from '../../shared/keys.ts'
import { encodeSessionFile, openSessionFile } from '../../shared/session-file.ts'
import type { noCounts } from './counts.ts'
import type { Peer } from './peer.ts'
import type { VirtualRelay } from './virtual-relay.ts'
import type { World } from './world.ts'

type Counts = Record<keyof typeof noCounts, number>
type Fault = (world: World, counts: Counts) => Promise<void> | void

/** What goes wrong, and how often compared with the rest. */
export const faults: readonly (readonly [weight: number, name: string, fault: Fault])[] = [
  [5, 'drop', drop],
  [3, 'cut', cut],
  [4, 'flow', (world) => flow(world)],
  [3, 'offline', goOffline],
  [6, 'online', comeBack],
  [1, 'other network', changeNetwork],
  [2, 'region cut', cutRegion],
  [2, 'relay crash', crashRelay],
  [1, 'relay restart', restartRelay],
  [4, 'relay start', startRelay],
  [1.5, 'store trouble', troubleStore],
  [3, 'store works', mendStore],
  [1, 'roll back', rollBack],
  [2, 'client crash', crashClient],
  [5, 'client start', startClient],
  [1, 'lies', lie],
  [2, 'truth', tellTruth],
  [1, 'wrong clock', setClock],
  [2, 'sleep', sleep],
  [1, 'stand still', standStill],
  [1, 'file', useFile],
  [4, 'rubbish', sendRubbish],
  [2, 'retry', retry],
]

function someone(world: World): Peer {
  return world.chance.pick(world.peers)
}

/** The tabs of the browser that this one is in. */
function device(world: World, { disk }: Peer): readonly Peer[] {
  return world.peers.filter((peer) => peer.disk === disk)
}

function someRelay(world: World): VirtualRelay {
  return world.chance.pick(world.relays)
}

/** The connection is gone; each end notices at some time, or by silence. */
function drop(world: World, counts: Counts): void {
  const { chance } = world
  const peer = someone(world)
  for (const line of peer.lines) {
    if (line.dead) continue
    counts.drops++
    line.drop(chance.happens(0.8) ? chance.below(5000) : undefined, chance.below(60_000))
  }
}

function cut(world: World, counts: Counts): void {
  for (const line of someone(world).lines) {
    counts.cuts++
    const direction = world.chance.happens(0.5) ? line.up : line.down
    direction.stall()
    world.clock.after(world.chance.below(180_000), () => direction.flow(), world.world)
  }
}

export function flow(world: World): void {
  const ways = [...world.peers.flatMap(({ lines }) => lines), ...world.relays.flatMap((relay) => relay.ways)]
  for (const { up, down } of ways) {
    up.flow()
    down.flow()
  }
}

/** One that lets no WebSocket open, or one that does. */
function changeNetwork(world: World): void {
  const peer = someone(world)
  const polls = !peer.polls
  for (const tab of device(world, peer)) tab.polls = polls
}

/** Between one relay and the bus, or the store, that it shares with the other. */
function cutRegion(world: World, counts: Counts): void {
  const { ways } = someRelay(world)
  if (ways.length === 0) return
  counts.regionCuts++
  const way = world.chance.pick(ways)
  const direction = world.chance.happens(0.5) ? way.up : way.down
  direction.stall()
  world.clock.after(world.chance.below(120_000), () => direction.flow(), world.world)
}

function goOffline(world: World, counts: Counts): void {
  const peer = someone(world)
  if (!peer.online) return
  counts.offline++
  for (const tab of device(world, peer)) {
    tab.online = false
    for (const line of tab.lines)
      line.drop(world.chance.happens(0.5) ? 10 : undefined, world.chance.below(60_000))
  }
}

async function comeBack(world: World): Promise<void> {
  for (const tab of device(world, someone(world))) {
    tab.online = true
    await tab.act((core) => core.link?.retryNow())
  }
}

function crashRelay(world: World, counts: Counts): void {
  const relay = someRelay(world)
  if (!relay.isRunning) return
  counts.relayCrashes++
  relay.crash(world.chance.happens(0.3))
}

async function restartRelay(world: World, counts: Counts): Promise<void> {
  const relay = someRelay(world)
  if (!relay.isRunning || relay.life.asleepUntil > world.clock.now) return
  counts.relayRestarts++
  await relay.stop()
  await relay.start()
}

async function startRelay(world: World): Promise<void> {
  const relay = someRelay(world)
  if (!relay.isRunning) await relay.start()
}

function troubleStore(world: World, counts: Counts): void {
  counts.storeTroubles++
  world.disk.trouble = world.chance.pick(['gone', 'readOnly', 'full'] as const)
}

function mendStore({ disk }: World): void {
  disk.trouble = 'none'
}

async function rollBack(world: World, counts: Counts): Promise<void> {
  const { copy } = world
  if (world.deleting) return
  if (!copy || world.chance.happens(0.3)) {
    world.copy = world.disk.copy()
    return
  }
  counts.rollbacks++
  world.crashRelays(true)
  world.disk.putBack(copy)
  world.auditor.readAgain(world.disk)
  world.promises.goneBack(world.peers)
  await world.startRelays()
}

async function crashClient(world: World, counts: Counts): Promise<void> {
  const peer = someone(world)
  if (!peer.core) return
  const crashed = world.chance.happens(0.5) ? device(world, peer) : [peer]
  for (const tab of crashed) {
    if (!tab.core) continue
    counts.clientCrashes++
    counts.unsyncedRowsLost += tab.disk.unsyncedRows(tab.core.replica)
    await tab.crash()
  }
  world.promises.goneBack(world.peers)
}

async function startClient(world: World): Promise<void> {
  for (const peer of world.peers) if (!peer.core) return peer.start()
}

function lie(world: World, counts: Counts): void {
  counts.lyingTimes++
  someRelay(world).liar.lying = true
}

/** An honest relay takes its place. */
async function tellTruth(world: World): Promise<void> {
  for (const relay of world.relays) {
    if (!relay.liar.lying) continue
    relay.liar.lying = false
    if (relay.isRunning) relay.crash(false)
    await relay.start()
  }
}

function setClock(world: World, counts: Counts): void {
  counts.wrongClocks++
  const years = world.chance.below(20) - 10
  const skew = years * 365 * 86_400_000 + world.chance.below(86_400_000)
  for (const tab of device(world, someone(world))) tab.life.skew = skew
}

/** A laptop is closed, and opened again: its tabs go on where they were. */
function sleep(world: World, counts: Counts): void {
  counts.sleeps++
  const until = world.clock.now + world.chance.below(300_000)
  for (const { life } of device(world, someone(world))) life.asleepUntil = Math.max(life.asleepUntil, until)
}

/** A machine that swaps, or a process that was stopped: connections stay open, and nobody answers. */
function standStill(world: World, counts: Counts): void {
  counts.standstills++
  someRelay(world).standStill(world.clock.now + world.chance.below(60_000))
}

/** Somebody saves the session as a file; later somebody opens it on a device of their own. */
async function useFile(world: World, counts: Counts): Promise<void> {
  const { file, chance, keys } = world
  if (!file) {
    const { core } = someone(world)
    if (core)
      world.file = encodeSessionFile(keysFor('member', keys), Y.encodeStateAsUpdate(core.doc), 'plain')
    return
  }
  world.file = undefined
  if (world.peers.length > 8) return
  const opened = openSessionFile(file, () => undefined)
  if (opened.state !== 'opened') throw new Error(`A session file is ${opened.state}`)
  counts.filesOpened++
  const device = `device ${world.peers.length}`
  await world
    .invite(device, 'member', chance.happens(0.5) ? 'ben' : device, { update: opened.update })
    .start()
}

async function sendRubbish(world: World, counts: Counts): Promise<void> {
  await world.clock.act(world.world, () => {
    counts.rubbish += world.intruder.annoy()
  })
}

async function retry(world: World): Promise<void> {
  await someone(world).act((core) => core.link?.retryNow())
}
