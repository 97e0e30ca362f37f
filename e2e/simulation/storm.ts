import { Chance } from '../../shared/testing.ts'
import { acts } from './acts.ts'
import { checkAgreement } from './agreement.ts'
import { calm } from './calm.ts'
import { type Counts, countOf, noCounts } from './counts.ts'
import { deleteInStorm } from './deletion.ts'
import { faults } from './faults.ts'
import { VirtualClock } from './virtual-clock.ts'
import { rule } from './virtual-globals.ts'
import { watchErrors } from './watch-errors.ts'
import { World } from './world.ts'

export interface Outcome {
  readonly counts: Counts
  /** Until all had the same after everything worked again, in milliseconds of the world. */
  readonly healing: number
  /** The same for every run of a seed. */
  readonly trace: number
}

const lastSteps = 15
/** This part of all storms ends with the deletion of the session. */
const deleted = 0.1

/** One run: a session in which everything goes wrong, and after which all is well. Throws when anything was not. */
export async function storm(seed: number, steps: number): Promise<Outcome> {
  const chance = new Chance(seed)
  const failures: unknown[] = []
  const clock = new VirtualClock((error) => failures.push(error))
  const release = rule({ clock, chance })
  const stopWatching = watchErrors((error) => failures.push(error))
  const log: string[] = []
  const world = new World(chance, clock)
  const check = () => {
    if (failures.length > 0) throw failures[0]
    world.promises.check(world.peers)
    world.secrecy.check(world.peers)
  }
  try {
    const happened = { ...noCounts }
    await world.begin()
    const goOn = async () => {
      log.push(`${log.length} at ${Math.round(clock.now)}: ${await takeStep(world, happened)}`)
      await clock.pass(someTime(chance))
    }
    for (let step = 0; step < steps; step++) {
      await goOn()
      check()
      if (chance.happens(0.1)) checkAgreement(world.peers, chance)
    }
    if (chance.happens(deleted)) {
      happened.deletions++
      await deleteInStorm(world, goOn)
      if (failures.length > 0) throw failures[0]
      return { healing: 0, counts: countOf(world, happened), trace: world.trace }
    }
    const healing = await calm(world, check)
    return { healing, counts: countOf(world, happened), trace: world.trace }
  } catch (error) {
    const words = error instanceof Error ? (error.stack ?? error.message) : String(error)
    throw new Error([words, ...log.slice(-lastSteps)].join('\n'))
  } finally {
    for (const peer of world.peers) await peer.crash() // what is open would meet the next run of this seed
    stopWatching()
    release()
    world.disk.close()
  }
}

async function takeStep(world: World, happened: typeof noCounts): Promise<string> {
  const { chance } = world
  if (chance.happens(0.35)) {
    const [, name, fault] = weighted(faults, chance)
    await fault(world, happened)
    return name
  }
  const peer = chance.pick(world.peers)
  const [, name, act] = weighted(acts, chance)
  if (peer.core?.mayWrite) await peer.act((core) => act(core, chance))
  return `${peer.name}, ${name}`
}

/** Mostly no time to speak of, so that much happens at once. */
function someTime(chance: Chance): number {
  if (chance.happens(0.5)) return chance.below(100)
  if (chance.happens(0.9)) return chance.below(3000)
  return chance.happens(0.9) ? chance.below(15_000) : chance.below(180_000)
}

function weighted<Choice extends readonly [weight: number, ...rest: unknown[]]>(
  choices: readonly Choice[],
  chance: Chance,
): Choice {
  let at = chance.below(choices.reduce((sum, [weight]) => sum + weight, 0))
  for (const choice of choices) {
    at -= choice[0]
    if (at < 0) return choice
  }
  throw new Error('Nothing to choose from')
}
