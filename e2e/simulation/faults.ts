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
  [4, 'rubbish', sendRubbish],
  [2, 'retry', retry],
]

function someone(world: World): Peer {
  return world.chance.pick(world.peers)
}

function someRelay(world: World): VirtualRelay {
  return world.chance.pick(world.relays)
}

/** The connection is gone; each end notices at some time, or by silence. */
function drop(world: World, counts: Counts): void {
  const { chance, clock } = world
  const peer = someone(world)
  for (const wire of peer.wires) {
    if (wire.dead) continue
    counts.drops++
    const { end } = wire
    wire.dead = true
    if (chance.happens(0.8)) clock.after(chance.below(5000), () => wire.tellDevice(), peer.life)
    clock.after(chance.below(60_000), () => end?.gone(), wire.far.life)
  }
}

function cut(world: World, counts: Counts): void {
  for (const wire of someone(world).wires) {
    counts.cuts++
    const direction = world.chance.happens(0.5) ? wire.up : wire.down
    direction.stall()
    world.clock.after(world.chance.below(180_000), () => direction.flow(), world.world)
  }
}

export function flow(world: World): void {
  const ways = [...world.peers.flatMap(({ wires }) => wires), ...world.relays.flatMap((relay) => relay.ways)]
  for (const { up, down } of ways) {
    up.flow()
    down.flow()
  }
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
  peer.online = false
  for (const wire of peer.wires) {
    const { end } = wire
    wire.dead = true
    world.clock.after(world.chance.below(60_000), () => end?.gone(), wire.far.life)
    if (world.chance.happens(0.5)) world.clock.after(10, () => wire.tellDevice(), peer.life)
  }
}

async function comeBack(world: World): Promise<void> {
  const peer = someone(world)
  peer.online = true
  await peer.act((core) => core.link?.retryNow())
}

function crashRelay(world: World, counts: Counts): void {
  const relay = someRelay(world)
  if (!relay.isRunning) return
  counts.relayCrashes++
  relay.crash(world.chance.happens(0.3))
}

async function restartRelay(world: World, counts: Counts): Promise<void> {
  const relay = someRelay(world)
  if (!relay.isRunning) return
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
  counts.clientCrashes++
  counts.unsyncedRowsLost += peer.disk.unsyncedRows
  await peer.crash()
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
  someone(world).life.skew = years * 365 * 86_400_000 + world.chance.below(86_400_000)
}

async function sendRubbish(world: World, counts: Counts): Promise<void> {
  await world.clock.act(world.world, () => {
    counts.rubbish += world.intruder.annoy()
  })
}

async function retry(world: World): Promise<void> {
  await someone(world).act((core) => core.link?.retryNow())
}
