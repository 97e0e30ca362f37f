import { heal } from './calm.ts'
import type { Peer } from './peer.ts'
import type { World } from './world.ts'

const steps = 40
/** In milliseconds of the world: half of it is for noticing a dead connection. */
const patience = 60_000

/**
 * The owner deletes the session in the middle of a storm. After it everybody is told, whoever opens the app again too, nothing of the
 * session is kept, and nobody brings it back.
 */
export async function deleteInStorm(world: World, goOn: () => Promise<void>): Promise<void> {
  const [owner] = world.peers
  if (!owner) throw new Error('Nobody is there')
  world.deleting = true
  for (let step = 0; step < steps; step++) {
    await askToDelete(owner)
    await goOn()
  }
  await heal(world)
  await allAreTold(world, owner)
  for (const peer of world.peers) {
    await peer.crash()
    await peer.start()
  }
  await world.invite('nora', 'member').start()
  await allAreTold(world, owner)
  const kept = [...world.disk.envelopes()].length
  if (kept > 0) throw new Error(`Of a deleted session ${kept} envelopes are kept`)
}

async function askToDelete(owner: Peer): Promise<void> {
  await owner.act((core) => void core.link?.deleteFromRelay())
}

async function allAreTold({ clock, peers }: World, owner: Peer): Promise<void> {
  const end = clock.now + patience
  const untold = () => peers.filter(({ core }) => !isTold(core?.link?.state))
  while (untold().length > 0 && clock.now < end) {
    if (!isTold(owner.core?.link?.state)) await askToDelete(owner)
    await clock.pass(500)
  }
  const names = untold().map(({ name, core }) => `${name}, ${core?.link?.state.state}`)
  if (names.length > 0) throw new Error(`Not told that the session was deleted: ${names.join('; ')}`)
}

function isTold(state: NonNullable<NonNullable<Peer['core']>['link']>['state'] | undefined): boolean {
  return state?.state === 'refused' && state.reason === 'deleted'
}
