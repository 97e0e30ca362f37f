import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import type { Counts } from './counts.ts'

// The time of a storm is its own: it leaves the cores to tests for which time passes.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL)

const simulation = inject('builtSimulation')
const { replaceGlobals }: typeof import('./virtual-globals.ts') = await import(
  join(simulation, 'virtual-globals.js')
)
replaceGlobals()
const { storm }: typeof import('./storm.ts') = await import(join(simulation, 'storm.js'))

const only = process.env.SEED === undefined ? undefined : Number(process.env.SEED)
const first = Number(process.env.FROM ?? 1)
const seeds = Number(process.env.SEEDS ?? 1000)
const mostFailures = 5
const steps = Number(process.env.STEPS ?? 300)

/** Of these some runs have none. */
const rare = new Set(['lostByBoth', 'droppedByLies'])

/** Half of the seeds, so that two files keep two cores busy. Two in a hundred are run twice: a seed must go one way only. */
export function testStorms(half: 'odd' | 'even'): void {
  const rest = half === 'odd' ? 1 : 0
  const all = only === undefined ? Array.from({ length: seeds }, (_, at) => first + at) : [only]
  const own = all.filter((seed) => seed % 2 === rest)

  test.runIf(own.length > 0)(
    'whatever goes wrong, no card is seen early, nothing saved is lost, and in the end all agree',
    async () => {
      const sums: Counts = {}
      const failed: string[] = []
      let repeated = 0
      let done = 0
      for (const seed of own) {
        try {
          const { counts, trace } = await stormOf(seed)
          for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count
          if (++done % 500 === 0)
            console.info(`${done} of ${own.length} ${half} seeds, ${failed.length} failed`)
          if (seed % 100 >= 2) continue
          repeated++
          if ((await stormOf(seed)).trace !== trace) failed.push(`SEED=${seed} goes another way`)
        } catch (error) {
          failed.push(error instanceof Error ? error.message : String(error))
          if (failed.length >= mostFailures) break
        }
      }
      expect(failed, failed.join('\n\n')).toEqual([])
      expect(repeated).toBeGreaterThanOrEqual(Math.floor(own.length / 50))
      if (own.length >= 25)
        expect(Object.keys(sums).filter((name) => sums[name] === 0 && !rare.has(name))).toEqual([])
      if (process.env.COUNTS) console.info(`stormed ${JSON.stringify(sums)}`)
    },
    600_000 + own.length * 20_000,
  )
}

/** Seeds that failed once, each with what it found. A change of the simulation changes what a seed does; they stay all the same. */
export function testFailedSeeds(found: Readonly<Record<number, string>>): void {
  test.runIf(only === undefined).for(Object.entries(found))('seed %s: %s', async ([seed]) => {
    await stormOf(Number(seed))
  })
}

async function stormOf(seed: number) {
  try {
    return await storm(seed, steps)
  } catch (error) {
    const again = `SEED=${seed} npx vitest run --project e2e storm`
    throw new Error(`To see it again: ${again}\n${error instanceof Error ? error.message : error}`)
  }
}
