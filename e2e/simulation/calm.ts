import * as Y from 'yjs'
import { recordSetOf, resolvedRounds } from './agreement.ts'
import { flow } from './faults.ts'
import { contentOf, type Peer, stateVectorOf, wordsOfVector } from './peer.ts'
import { smallQuota, type World } from './world.ts'

/** In milliseconds of the world. Half of it is for noticing a dead connection. */
const patience = 60_000
/** A full session is cut short by two snapshots, which are asked for ten seconds apart, and takes back what was refused in portions. */
const patienceWhenFull = 120_000
const quiet = 30_000
/** What the log lacks is given back ten seconds after the first try, and twenty after the second, see `Mending`; and see `Restoring`. */
const mended = 60_000

/**
 * After the storm everything works again, all come to the same, and somebody new gets it from the store alone. Says how long
 * the devices took.
 */
export async function calm(world: World, check: () => void): Promise<number> {
  await heal(world)
  const healing = await converge(world, check)
  const rounds = await staySettled(world)
  await arrive(world, rounds)
  return healing
}

export async function heal(world: World): Promise<void> {
  const { peers, relays, disk } = world
  world.calm = true
  disk.trouble = 'none'
  for (const relay of relays) {
    if (relay.liar.lying && relay.isRunning) relay.crash(false)
    relay.liar.lying = false
  }
  world.intruder.leave()
  await wake(world)
  await world.startRelays()
  flow(world)
  for (const peer of peers) {
    peer.online = true
    if (!peer.core) await peer.start()
    await peer.act((core) => core.link?.retryNow())
  }
}

/** Whoever sleeps is let sleep until they wake. */
async function wake({ clock, peers, relays }: World): Promise<void> {
  const until = Math.max(...[...peers, ...relays].map(({ life }) => life.asleepUntil))
  if (until > clock.now) await clock.pass(until - clock.now)
}

async function converge(world: World, check: () => void): Promise<number> {
  const { clock, disk, peers } = world
  const begin = clock.now
  const end = clock.now + (disk.quota === smallQuota ? patienceWhenFull : patience)
  while (clock.now < end && !isSettled(peers)) {
    await clock.pass(500)
    check()
  }
  // Where nobody has anything to send to a full session, nobody is asked to make room: it stays full, and whole.
  const staysFull = disk.quota === smallQuota && haveSame(peers)
  if (!isSettled(peers) && !staysFull) throw new Error(`Devices differ:\n${peers.map(describe).join('\n')}`)
  return clock.now - begin
}

/** Everybody is connected, has sent everything and holds the same. */
function isSettled(peers: readonly Peer[]): boolean {
  const [first] = peers
  return peers.every(({ core }) => {
    if (core?.link?.state.state !== 'connected' || !first?.core) return false
    if (core.mayWrite) return core.link.waiting === 0 && contentOf(core.doc) === contentOf(first.core.doc)
    return containsAll(core.doc, first.core.doc)
  })
}

function haveSame(peers: readonly Peer[]): boolean {
  return new Set(peers.map(({ core }) => core && contentOf(core.doc))).size === 1
}

/** An observer may have seen a change that everybody else lost, and can give it to nobody. */
function containsAll(doc: Y.Doc, other: Y.Doc): boolean {
  return [...Y.decodeStateVector(Y.encodeStateVector(other))].every(
    ([client, clock]) => Y.getState(doc.store, client) >= clock,
  )
}

/** Nobody sends anything when there is nothing to send. Says what all of them see. */
async function staySettled({ clock, disk, peers, promises }: World): Promise<string> {
  const [first, ...others] = peers.flatMap(({ core }) => (core?.mayWrite ? core : []))
  if (!first) throw new Error('Nobody is there')
  await clock.pass(mended)
  for (const core of others) {
    if (recordSetOf(core) !== recordSetOf(first)) throw new Error('Devices have different records')
    if (resolvedRounds(core) !== resolvedRounds(first)) throw new Error('Devices see different rounds')
  }
  const { length } = disk
  await clock.pass(quiet)
  if (disk.length > length) throw new Error(`The log grows in quiet by ${disk.length - length} entries`)
  promises.checkAll()
  checkSameness(peers)
  return resolvedRounds(first)
}

/** Once it is quiet "everybody here sees the same" is said by all when it is so, and by nobody when it is not. */
function checkSameness(peers: readonly Peer[]): void {
  const contents = new Set(peers.map(({ core }) => core && contentOf(core.doc)))
  for (const { name, core } of peers) {
    if (core && (core.same === true) !== (contents.size === 1))
      throw new Error(`${name} says "same: ${core.same}" of ${contents.size} different contents`)
  }
}

/** What people saw is there after they have opened the app again, whatever somebody erased. */
async function arrive(world: World, rounds: string): Promise<void> {
  const { clock, disk, peers, promises, auditor } = world
  const first = peers[0] as Peer
  for (const peer of peers) await peer.crash()
  auditor.readAgain(disk)
  promises.checkAll()
  const newcomer = world.invite('nora', 'observer')
  await newcomer.start()
  await clock.pass(patience)
  await first.start()
  if (!first.core || !newcomer.core) throw new Error('Nobody is there')
  const [there, here] = [stateVectorOf(first.core.doc), stateVectorOf(newcomer.core.doc)]
  if (there !== here) throw new Error(`The newcomer has something else:\n${here}\n${there}`)
  if (resolvedRounds(newcomer.core) !== rounds) throw new Error('The newcomer sees other rounds')
  if (resolvedRounds(first.core) !== rounds) throw new Error('Rounds have changed after a night')
}

function describe({ name, core, polls }: Peer): string {
  if (!core?.link) return `${name} is off`
  const { doc, link, same, here } = core
  const { state, place } = link
  const held = place?.held
  const words = [
    name,
    state.state === 'refused' ? `refused: ${state.reason}` : state.state,
    ...(polls ? ['by requests'] : []),
    `${link.waiting} waiting`,
    `same: ${same}`,
    `${here.size} here`,
    `content ${contentOf(doc)}`,
    held?.covers(Y.snapshot(doc)) ? 'all of it in the log' : 'not all of it in the log',
    ...(link.early.waits || doc.store.pendingStructs ? ['something waits for what comes before'] : []),
  ]
  return `${words.join(', ')}\n  has ${stateVectorOf(doc)}\n  log ${held ? wordsOfVector(held.stateVector()) : 'not read'}`
}
